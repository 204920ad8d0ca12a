// Inventory and kitchen as a test wants them: a real HTTP server that answers what it is told to.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { item } from './help.ts';

export type ReserveCall = { orderId: string; lines: { itemId: string; quantity: number }[] };
type Answering = (body: unknown, reply: ServerResponse) => unknown;

export const hangs = Symbol('hangs');

export type Neighbour = {
  url: string;
  /** Paths that were asked, with their bodies. */
  seen: { path: string; body: unknown }[];
  /** What a path answers from now on: a body (200), `hangs`, or what it wrote to the reply itself. */
  on(path: string, answer: Answering): void;
  onReserve(answer: (orders: ReserveCall[]) => unknown): void;
} & AsyncDisposable;

export async function startNeighbour(menu = [item('soup'), item('tea', 150)]): Promise<Neighbour> {
  const answers = new Map<string, Answering>();
  const seen: Neighbour['seen'] = [];
  const server = createServer((request, reply) => {
    void (async () => {
      const path = request.url ?? '';
      const body = await text(request);
      const parsed: unknown = body === '' ? undefined : JSON.parse(body);
      seen.push({ path, body: parsed });
      const answer = await answers.get(path)?.(parsed, reply);
      if (answer === hangs || reply.writableEnded) return;
      reply.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      reply.end(JSON.stringify(answer ?? {}));
    })();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const on: Neighbour['on'] = (path, answer) => void answers.set(path, answer);
  const stock = { available: 9, onHand: 9, reserved: 0, stockVersion: 1 };
  on('/ping', () => ({ status: 'up' }));
  on('/internal/stock', () => ({ items: menu.map((one) => ({ ...one, ...stock })) }));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ seen, on },
    onReserve: (answer) =>
      on('/internal/stock/reserve', (body) => answer((body as { orders: ReserveCall[] }).orders)),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

export const allReserved = (orders: ReserveCall[]) => ({
  answers: orders.map(({ orderId }) => ({ orderId, outcome: 'reserved' })),
});
export const allShort = (orders: ReserveCall[]) => ({
  answers: orders.map(({ orderId, lines }) => ({
    ...{ orderId, outcome: 'short', itemId: lines[0]?.itemId, left: 1 },
  })),
});
