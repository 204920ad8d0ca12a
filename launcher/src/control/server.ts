// Where the gateway asks about processes and breaks them. On the loopback only, with its token.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ApiError, launcherApi, limits } from '@rushlight/contracts';
import type { z } from 'zod';
import type { FaultBook } from './fault-book.ts';

export type ControlOptions = {
  /** Whether this token says that the gateway asks. */
  isGateway(token: string): boolean;
  parts(): z.infer<(typeof launcherApi.parts.replies)[200]>['parts'];
  /** Absent while the lab is off. */
  faults: FaultBook | undefined;
};

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

const requestMsMax = 5_000;

/** Listens on 127.0.0.1 on this port. */
export async function startControlServer(port: number, options: ControlOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, options)
      .catch((error: unknown) => problemOf(error))
      .then((reply) => send(response, reply))
      .catch(() => response.destroy());
  });
  server.requestTimeout = requestMsMax;
  server.headersTimeout = requestMsMax;
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  server.on('error', () => undefined);
  return server;
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  const content = body === undefined ? {} : { 'content-type': type };
  response.writeHead(status, { ...content, ...headers, 'cache-control': 'no-store' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function problemOf(error: unknown): Answer {
  const known =
    error instanceof ApiError ? error : new ApiError('internal', { instance: 'launcher' });
  const { retryAfterS } = known;
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  return { status: known.status, body: known.toProblem(), headers };
}

async function answer(request: IncomingMessage, options: ControlOptions): Promise<Answer> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || !options.isGateway(token)) {
    throw new ApiError('unauthorized', { why: "The gateway's service token is needed" });
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  switch (`${request.method} ${url.pathname}`) {
    case `${launcherApi.parts.method} ${launcherApi.parts.path}`:
      return {
        status: 200,
        body: { parts: options.parts(), faults: options.faults?.active() ?? [] },
      };
    case `${launcherApi.startFault.method} ${launcherApi.startFault.path}`:
      return startFault(request, options);
    case `${launcherApi.endFaults.method} ${launcherApi.endFaults.path}`:
      return endFaults(url, options);
    default:
      throw new ApiError('route_not_found', { method: request.method ?? '?', path: url.pathname });
  }
}

async function startFault(request: IncomingMessage, options: ControlOptions): Promise<Answer> {
  const body = launcherApi.startFault.body.safeParse(await readJson(request));
  if (!body.success) {
    throw new ApiError('bad_request', { why: body.error.issues[0]?.message ?? 'bad body' });
  }
  return { status: 201, body: labOf(options).start(body.data) };
}

function endFaults(url: URL, options: ControlOptions): Answer {
  const faults = labOf(options);
  const id = url.searchParams.get('id');
  if (id === null) faults.endAll();
  else faults.end(id);
  return { status: 204 };
}

function labOf({ faults }: ControlOptions): FaultBook {
  if (faults === undefined) throw new ApiError('lab_off');
  return faults;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > limits.bodyBytesMax) {
      throw new ApiError('body_too_large', { bytesMax: limits.bodyBytesMax });
    }
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ApiError('bad_request', { why: 'the body is not JSON' });
  }
}
