import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { listen } from '../src/rush/listening.ts';

type Serve = (request: IncomingMessage, answer: ServerResponse) => void;

/** Answers each connection by the next of these, and the last one again and again. */
async function streams(...serves: Serve[]) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, answer) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.flushHeaders();
    (serves.shift() ?? (() => undefined))(request, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const written: unknown[] = [];
  const recorder = { write: (entry: unknown) => void written.push(entry) };
  const ear = listen({ url, path: '/events', token: 't', proc: 'display', recorder });
  return {
    asked,
    written,
    ear,
    [Symbol.asyncDispose]: async () => {
      ear.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const start: Serve = (_request, answer) => void answer.write('id: 0\n: from now on\n\n');
const cut: Serve = (_request, answer) => void answer.destroy();

test('it is open when the stream has said where it stands, not before', async () => {
  await using shop = await streams(cut, start);
  await shop.ear.opened;
  expect(shop.asked).toEqual([undefined, undefined]);
  expect(shop.ear.lastEventId).toBe(0);
});

test('a line that breaks before the first event is resumed where the stream stood', async () => {
  const line = '{"orderId":"a","status":"paid"}';
  const event: Serve = (_request, answer) =>
    void answer.write(`id: 5\nevent: order\ndata: ${line}\n\n`);
  const startAndCut: Serve = (_request, answer) => {
    answer.write('id: 4\n: from now on\n\n', () => answer.destroy());
  };
  await using shop = await streams(startAndCut, event);
  await expect.poll(() => shop.written.length, { timeout: 10_000 }).toBe(1);
  expect(shop.asked).toEqual([undefined, '4']);
  expect(shop.written).toMatchObject([{ eventId: 5, orderId: 'a', status: 'paid' }]);
});
