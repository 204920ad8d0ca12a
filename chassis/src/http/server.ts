// An HTTP server made of contracts.
//
// Checks come in this order: is there room, who asks (401), may they (403), is the request well
// formed (400), and only then the handler. Every answer that is not a success is a problem document.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
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
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { inSpan, type Span } from '../tracing/span.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { answerInTime, handlerTimeoutMs, type hijacked, type RawJson } from './answer.ts';
import { deadlineHeaderName, parseDeadlineMs } from './deadline.ts';
import { inputReader } from './input.ts';
import { measureAnswers } from './measure.ts';
import { createPatience, type Patience } from './patience.ts';
import { type Authenticate, authorize, type Principal } from './principal.ts';
import { answerClientError, sendProblem, sendSharedProblem, toApiError } from './problems.ts';

export type Context = {
  principal: Principal | undefined;
  log: Log;
  /** Milliseconds that are left to answer this request. */
  remainingMs(): number;
  request: FastifyRequest;
  reply: FastifyReply;
};

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
  /** Callers are services of ours: their deadlines are obeyed, and their traces go on here. */
  trustsCallers: boolean;
  /** Absent: no request is traced. */
  tracer?: Tracer | undefined;
  /** Throws ApiError('busy') when there is no room; the returned function gives the room back. */
  admit?: (priority: Priority) => () => void;
};

export type HttpServer = {
  app: FastifyInstance;
  handle<Api extends Record<string, Route>>(api: Api, handlers: Handlers<Api>): void;
  listen(host: string, port: number): Promise<number>;
  /** Also takes what comes to a listening socket that this process inherited, shared with others. */
  listenOn(fd: number): Promise<void>;
  /** From now on every answer ends its connection, so that callers go to somebody who stays. */
  drain(): void;
  /** Stops to listen, finishes what has begun. */
  close(): Promise<void>;
};

const notStates: HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

declare module 'fastify' {
  interface FastifyContextConfig {
    contract?: Route;
  }
  interface FastifyRequest {
    startedMs: number;
    principal: Principal | undefined;
    leave: (() => void) | undefined;
    span: Span | undefined;
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
  const draining = { now: false };
  addHooks(app, options, draining);
  const patience = createPatience(options, handlerTimeoutMs);
  app.addHook('onClose', async () => patience.close());
  const methodsByPath = new Map<string, Set<string>>();
  const doors: Server[] = [];

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
          patience,
        );
      }
    },
    listen: async (host, port) => {
      for (const [path, methods] of methodsByPath) refuseOtherMethods(app, path, methods);
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address ? address.port : port;
    },
    listenOn: async (fd) => {
      // Its connections are this server's: counted, timed and closed like all others.
      const door = createServer((socket) => app.server.emit('connection', socket));
      doors.push(door.listen({ fd }));
      await once(door, 'listening');
    },
    drain: () => {
      draining.now = true;
    },
    close: async () => {
      for (const door of doors) door.close();
      await app.close();
    },
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

function addHooks(
  app: FastifyInstance,
  options: HttpServerOptions,
  draining: Readonly<{ now: boolean }>,
): void {
  const { log, metrics } = options;
  app.decorateRequest('startedMs', 0);
  app.decorateRequest('principal', undefined);
  app.decorateRequest('leave', undefined);
  app.decorateRequest('span', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.startedMs = options.monotonicMs();
    reply.headers(securityHeaders);
    if (draining.now) reply.header('connection', 'close');
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      done(new ApiError('bad_request', { why: 'it has no Host header' }));
    } else done();
  });
  const measure = measureAnswers(metrics);
  app.addHook('onResponse', (request, reply, done) => {
    const durationS = (options.monotonicMs() - request.startedMs) / 1000;
    const route = request.routeOptions.config.contract?.path ?? 'other';
    const { span } = request;
    const { statusCode } = reply;
    measure(request.method, route, statusCode, durationS, span);
    // Also an answer that was stored, or that another service gave.
    if (statusCode >= 500) span?.fail(String(statusCode));
    span?.end({ 'http.response.status_code': statusCode });
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = toApiError(error, request, log);
    metrics.count('errors_total', { code: answer.code });
    if (answer.status >= 500) request.span?.fail(answer.code);
    return sendProblem(reply, answer);
  });
  app.setNotFoundHandler((request, reply) => {
    const { method } = request;
    const path = request.url.split('?')[0] ?? '';
    metrics.count('errors_total', { code: 'route_not_found' });
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
  patience: Patience,
): void {
  const readInput = inputReader(route);
  app.route({
    method: route.method,
    url: route.path,
    config: { contract: route },
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    onRequest: (request, reply, done) => enter(request, reply, route, options, done),
    handler: (request, reply) => {
      const budgetMs = options.trustsCallers ? deadlineOf(request) : handlerTimeoutMs;
      const context: Context = {
        principal: request.principal,
        log: options.log,
        remainingMs: () => budgetMs - (options.monotonicMs() - request.startedMs),
        request,
        reply,
      };
      const input = readInput(request);
      const answer = (): void => {
        const work = handler(input, context);
        // Nothing is returned: for a promise the framework would make more of its own.
        answerInTime(work, request, reply, options.monotonicMs(), patience);
      };
      const { span } = request;
      if (!span) return answer();
      if (options.trustsCallers) adoptOrdersOf(span, request);
      return inSpan(span, answer);
    },
  });
}

/** A request of ours about many orders is a part of what happened to each. */
function adoptOrdersOf(span: Span, { body }: FastifyRequest): void {
  if (span.sampled) span.adopt((body as { orders?: unknown } | undefined)?.orders, span.parent);
}

/** Lets a request in, or not. Without a promise where who asks is known at once: it is the hot path. */
function enter(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  options: HttpServerOptions,
  done: (error?: Error) => void,
): void {
  try {
    if (options.admit && !admitted(request, reply, route, options.admit, options.metrics)) return;
    const from = options.trustsCallers ? 'ours' : 'stranger';
    request.span = options.tracer?.beginRequest(
      route,
      String(request.headers['traceparent'] ?? ''),
      from,
    );
    const principal = options.authenticate(request, route);
    if (principal instanceof Promise) {
      principal.then((known) => know(known, request, route, done), done);
    } else know(principal, request, route, done);
  } catch (error) {
    done(error as Error);
  }
}

/** False when there was no room: then that is answered, as cheaply as can be. */
function admitted(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  admit: (priority: Priority) => () => void,
  metrics: Metrics,
): boolean {
  const { priority } = route;
  try {
    const leave = admit(priority);
    request.leave = leave;
    // Always comes, also when the client goes away in the middle of its request.
    reply.raw.on('close', leave);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    metrics.count('http_requests_shed_total', { priority });
    metrics.count('errors_total', { code: error.code });
    sendSharedProblem(reply, error);
    return false;
  }
}

function know(
  principal: Principal | undefined,
  request: FastifyRequest,
  route: Route,
  done: (error?: Error) => void,
): void {
  try {
    authorize(route, principal);
    request.principal = principal;
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}

/** The caller's own deadline, if it said one that is shorter than ours. */
function deadlineOf(request: FastifyRequest): number {
  const given = parseDeadlineMs(request.headers[deadlineHeaderName]);
  return Math.min(given ?? handlerTimeoutMs, handlerTimeoutMs);
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
