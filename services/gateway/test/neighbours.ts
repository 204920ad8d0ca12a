// Neighbours of the gateway that are real servers, and answer as a test says.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { StockItem } from '../src/stock-view.ts';

export type Seen = {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
};
export type FakeAnswer = { status?: number; body?: unknown; headers?: Record<string, string> };
type Answering = (
  seen: Seen,
  reply: ServerResponse,
) => FakeAnswer | undefined | Promise<FakeAnswer>;

export type Fake = {
  url: string;
  /** Everything that was asked, in order. */
  seen: Seen[];
  /** How `METHOD /path` is answered from now on; undefined: the answer writes to the reply itself. */
  on(what: string, answer: Answering): void;
  close(): Promise<void>;
  /** Listens again on the same port. */
  reopen(): Promise<void>;
} & AsyncDisposable;

/** A server that answers 404 to whatever no test has set. */
export async function startFake(): Promise<Fake> {
  const answers = new Map<string, Answering>();
  const seen: Seen[] = [];
  const handle = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '', 'http://fake').pathname;
    const body = await text(request);
    const method = request.method ?? '';
    const one = {
      method,
      path: request.url ?? '',
      headers: request.headers,
      body: body === '' ? undefined : JSON.parse(body),
    };
    seen.push(one);
    const answer = await (answers.get(`${method} ${path}`) ?? notFound)(one, reply);
    if (!answer) return;
    const { status = 200, headers } = answer;
    const json = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    reply.writeHead(status, { 'content-type': type, ...headers });
    reply.end(status === 204 ? undefined : json);
  };
  const open = (port: number): Promise<Server> =>
    new Promise((done) => {
      const made = createServer((request, reply) => void handle(request, reply));
      made.listen(port, '127.0.0.1', () => done(made));
    });
  let server = await open(0);
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  answers.set('GET /ping', () => ({ body: { status: 'up' } }));
  answers.set('GET /health', () => ({ body: { status: 'up', dependencies: {} } }));
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    on: (what, answer) => void answers.set(what, answer),
    close,
    reopen: async () => {
      server = await open(port);
    },
    [Symbol.asyncDispose]: close,
  };
}

function notFound({ method, path }: Seen): FakeAnswer {
  return { status: 404, body: { code: 'route_not_found', status: 404, method, path } };
}

export function stockItem(itemId: string, available: number, stockVersion = 1): StockItem {
  return {
    itemId,
    name: itemId,
    category: 'mains',
    priceCents: 500,
    version: 1,
    available,
    onHand: available,
    reserved: 0,
    stockVersion,
    removed: false,
  };
}
