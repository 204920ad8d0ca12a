// An HTTP server made of contracts.
//
// Checks come in this order: is there room, who asks (401), may they (403), is the request well
// formed (400), and only then the handler. Every answer that is not a success is a problem document.

import {
  ApiError,
  type Input,
  limits,
  type Priority,
  type Reply,
  type Route,
} from '@rushlight/contracts';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify';
import type { z } from 'zod';
import { deadlineHeaderName, parseDeadlineMs } from '../deadline.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { UnavailableError } from '../store/store.ts';
import { type Authenticate, authorize, type Principal } from './principal.ts';
import { answerClientError, sendProblem, toApiError } from './problems.ts';

export type Context = {
  principal: Principal | undefined;
  log: Log;
  /** Milliseconds that are left to answer this request. */
  remainingMs(): number;
  request: FastifyRequest;
  reply: FastifyReply;
};

/** JSON text that is sent as it is. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a handler returns that writes to `context.reply.raw` itself. */
export const hijacked = Symbol('hijacked');

type RawReply<R extends Route> = {
  status: keyof R['replies'] & number;
  body: RawJson;
  headers?: Record<string, string>;
};
export type Handler<R extends Route> = (
  input: Input<R>,
  context: Context,
) => Promise<Reply<R> | RawReply<R> | typeof hijacked>;
export type Handlers<Api extends Record<string, Route>> = { [K in keyof Api]: Handler<Api[K]> };

export type HttpServerOptions = {
  authenticate: Authenticate;
  log: Log;
  metrics: Metrics;
  lab: boolean;
  monotonicMs: () => number;
  after: Environment['after'];
  /** Callers are services of ours: the deadline that they send is obeyed. */
  trustsDeadlines: boolean;
  /** Throws ApiError('busy') when there is no room; the returned function gives the room back. */
  admit?: (priority: Priority) => () => void;
};

export type HttpServer = {
  app: FastifyInstance;
  handle<Api extends Record<string, Route>>(api: Api, handlers: Handlers<Api>): void;
  listen(host: string, port: number): Promise<number>;
  /** Stops to listen, finishes what has begun. */
  close(): Promise<void>;
};

const handlerTimeoutMs = 15_000;
const notStates: HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

declare module 'fastify' {
  interface FastifyContextConfig {
    contract?: Route;
  }
  interface FastifyRequest {
    startedMs: number;
    principal: Principal | undefined;
    leave: (() => void) | undefined;
  }
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: 10_000,
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 300 },
    http: {
      maxHeaderSize: 16_384,
      headersTimeout: 10_000,
      // Node looks for slow senders only so often; its own 30 s would make them 40 s.
      connectionsCheckingInterval: 1_000,
      // Asked for below, so that its absence gets a problem document too.
      requireHostHeader: false,
    },
    clientErrorHandler: answerClientError,
    // A path that cannot be decoded never gets as far as the hooks and the error handler.
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply.headers(securityHeaders), toApiError(error, request, options.log));
    },
  });
  acceptJsonOnly(app);
  addHooks(app, options);
  const methodsByPath = new Map<string, Set<string>>();

  return {
    app,
    handle: (api, handlers) => {
      for (const [name, route] of Object.entries(api)) {
        if (route.lab && !options.lab) continue;
        const methods = methodsByPath.get(route.path) ?? new Set();
        methodsByPath.set(route.path, methods.add(route.method));
        addRoute(
          app,
          route,
          handlers[name as keyof typeof api] as unknown as Handler<Route>,
          options,
        );
      }
    },
    listen: async (host, port) => {
      for (const [path, methods] of methodsByPath) refuseOtherMethods(app, path, methods);
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address ? address.port : port;
    },
    close: () => app.close(),
  };
}

function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) done(null, undefined);
    else void parse(request, text as string, done);
  });
}

function addHooks(app: FastifyInstance, options: HttpServerOptions): void {
  const { log, metrics } = options;
  app.decorateRequest('startedMs', 0);
  app.decorateRequest('principal', undefined);
  app.decorateRequest('leave', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.startedMs = options.monotonicMs();
    reply.headers(securityHeaders);
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      done(new ApiError('bad_request', { why: 'it has no Host header' }));
    } else done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = request.routeOptions.config.contract?.path ?? 'other';
    const durationS = (options.monotonicMs() - request.startedMs) / 1000;
    metrics.count('http_requests_total', { method, route, status: String(reply.statusCode) });
    metrics.observe('http_request_duration_seconds', { method, route }, durationS);
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = toApiError(error, request, log);
    metrics.count('errors_total', { code: answer.code });
    return sendProblem(reply, answer);
  });
  app.setNotFoundHandler((request, reply) => {
    const { method } = request;
    const path = request.url.split('?')[0] ?? '';
    return sendProblem(reply, new ApiError('route_not_found', { method, path }));
  });
}

const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

function addRoute(
  app: FastifyInstance,
  route: Route,
  handler: Handler<Route>,
  options: HttpServerOptions,
): void {
  app.route({
    method: route.method,
    url: route.path,
    config: { contract: route },
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    onRequest: (request, reply, done) => enter(request, reply, route, options, done),
    handler: async (request, reply) => {
      const budgetMs = options.trustsDeadlines ? deadlineOf(request) : handlerTimeoutMs;
      const context: Context = {
        principal: request.principal,
        log: options.log,
        remainingMs: () => budgetMs - (options.monotonicMs() - request.startedMs),
        request,
        reply,
      };
      const answer = await inTime(handler(parseInput(route, request), context), options);
      if (answer === hijacked) {
        // A stream stays open for hours; it is in nobody's way once it has begun.
        request.leave?.();
        request.leave = undefined;
        return reply.hijack();
      }
      return sendAnswer(reply, answer as { status: number; body?: unknown });
    },
  });
}

/** Lets a request in, or not. Without a promise where who asks is known at once: it is the hot path. */
function enter(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  options: HttpServerOptions,
  done: (error?: Error) => void,
): void {
  const know = (principal: Principal | undefined): void => {
    try {
      authorize(route, principal);
      request.principal = principal;
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
  try {
    if (options.admit) {
      const leave = options.admit(route.priority);
      request.leave = leave;
      // Always comes, also when the client goes away in the middle of its request.
      reply.raw.once('close', leave);
    }
    const principal = options.authenticate(request, route);
    if (principal instanceof Promise) principal.then(know, done);
    else know(principal);
  } catch (error) {
    done(error as Error);
  }
}

/**
 * The answer, or UnavailableError when it takes too long: the work goes on and nobody hears of it.
 * (The framework's own time-out makes an AbortController for each request, at 8 % of the rate.)
 */
function inTime<T>(work: Promise<T>, { after }: Pick<HttpServerOptions, 'after'>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(handlerTimeoutMs, () => {
      reject(new UnavailableError('handler', `No answer within ${handlerTimeoutMs} ms`));
    });
    work.then(
      (answer) => {
        cancel();
        resolve(answer);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}

function sendAnswer(
  reply: FastifyReply,
  answer: { status: number; body?: unknown; headers?: Record<string, string> },
): FastifyReply {
  reply.status(answer.status);
  if (answer.body !== undefined) reply.header('content-type', 'application/json; charset=utf-8');
  if (answer.headers) reply.headers(answer.headers);
  if (answer.body === undefined) return reply.send();
  const text = answer.body instanceof RawJson ? answer.body.text : JSON.stringify(answer.body);
  return reply.send(text);
}

/** The caller's own deadline, if it said one that is shorter than ours. */
function deadlineOf(request: FastifyRequest): number {
  const given = parseDeadlineMs(request.headers[deadlineHeaderName]);
  return Math.min(given ?? handlerTimeoutMs, handlerTimeoutMs);
}

/** Checks each part of a request against its contract; throws ApiError('bad_request') with all mistakes. */
function parseInput(route: Route, request: FastifyRequest): Input<Route> {
  const mistakes: { at: string; rule: string }[] = [];
  const check = (part: string, schema: z.ZodType | undefined, value: unknown): unknown => {
    if (!schema) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues.slice(0, 10)) {
      mistakes.push({ at: [part, ...issue.path].join('.'), rule: issue.message });
    }
    return undefined;
  };
  const input = {
    params: check('path', route.params, request.params),
    query: check('query', route.query, request.query),
    headers: check('headers', route.headers, request.headers),
    body: check('body', route.body, request.body),
  };
  const [first] = mistakes;
  if (first) {
    const why = `${first.at}: ${first.rule}`;
    throw new ApiError('bad_request', { why, mistakes });
  }
  return input as Input<Route>;
}

function refuseOtherMethods(app: FastifyInstance, path: string, methods: Set<string>): void {
  const allowed = [...methods].join(', ');
  app.route({
    method: notStates.filter((method) => !methods.has(method)),
    url: path,
    bodyLimit: limits.bodyBytesMax,
    onRequest: async (request, reply) => {
      reply.header('allow', allowed);
      const { method } = request;
      throw new ApiError('method_not_allowed', { method, path, allowed });
    },
    handler: async () => undefined,
  });
}
