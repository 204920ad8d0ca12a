import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerClientError } from '../src/http/problems.ts';

let server: Server;
let requests = 0;

beforeAll(async () => {
  const limits = { headersTimeout: 200, requestTimeout: 200, connectionsCheckingInterval: 50 };
  server = createServer(limits, (_, response) => {
    requests++;
    response.end();
  });
  server.on('clientError', (error, socket) => {
    answerClientError(error, socket as Parameters<typeof answerClientError>[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

function open() {
  return connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
}

test('a connection that is opened ahead and not used for too long is closed without a word', async () => {
  expect(await text(open())).toBe('');
});

test('a request that does not become whole in time is told so, and is never carried out', async () => {
  const socket = open();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n');
  expect(await text(socket)).toContain('"code":"request_timeout"');
  expect(requests).toBe(0);
});
