import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import {
  backOffMs,
  openStream,
  type StreamMessage,
  type StreamOptions,
  type StreamState,
  type StreamWorld,
} from '../src/live/stream.ts';
import { localServer } from './local-server.ts';

type Sleeper = { ms: number; wake: () => void };

/** A world with a real network and a clock that moves only when the test says so. */
function handWorld() {
  const sleepers = new Set<Sleeper>();
  const world: StreamWorld = {
    fetch,
    nowMs: () => 0,
    random: () => 1,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const wake = () => {
          sleepers.delete(sleeper);
          resolve();
        };
        const sleeper = { ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
  };
  const wake = async (ms: number) => {
    const found = () => [...sleepers].find((sleeper) => sleeper.ms === ms);
    await vi.waitFor(() => expect([...sleepers].map((sleeper) => sleeper.ms)).toContain(ms));
    found()?.wake();
  };
  return { world, wake };
}

function follow(url: string, world: StreamWorld, more: Partial<StreamOptions> = {}) {
  const messages: StreamMessage[] = [];
  const states: StreamState[] = [];
  const stream = openStream({
    url,
    token: 'secret',
    world,
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
    ...more,
  });
  return { messages, states, stream };
}

function begin(reply: ServerResponse, text: string): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.write(text);
}

const menuEvent = (id: number, available: number) =>
  `id: ${id}\nevent: menu\ndata: {"itemId":"lassi","available":${available}}\n\n`;

test('events arrive, the token travels in a header and never in the address', async () => {
  await using server = await localServer((_, reply) => begin(reply, menuEvent(1, 4)));
  const { world } = handWorld();
  const { messages, stream } = follow(`${server.url}/api/v1/me/events`, world);
  await vi.waitFor(() => expect(messages).toHaveLength(1));
  expect(messages[0]).toEqual({ kind: 'menu', data: { itemId: 'lassi', available: 4 } });
  expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
  expect(server.requests[0]?.url).not.toContain('secret');
  expect(stream.lastEventId()).toBe('1');
  stream.close();
  await stream.ended;
});

test('after a cut it resumes behind the last event, and counts its tries anew', async () => {
  await using server = await localServer((_, reply, call) => {
    begin(reply, call === 1 ? menuEvent(41, 4) : menuEvent(42, 3));
    if (call === 1) reply.end();
  });
  const { world, wake } = handWorld();
  const { messages, states, stream } = follow(server.url, world);
  await wake(backOffMs(1, 1));
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  expect(server.requests[1]?.headers['last-event-id']).toBe('41');
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'live', 'interrupted', 'live']);
  stream.close();
  await stream.ended;
});

test('while nothing answers, the waits grow', async () => {
  await using server = await localServer((request, reply, call) => {
    if (call <= 3) request.socket.destroy();
    else begin(reply, ': hello\n\n');
  });
  const { world, wake } = handWorld();
  const { states, stream } = follow(server.url, world);
  for (const tries of [1, 2, 3]) await wake(backOffMs(tries, 1));
  await vi.waitFor(() => expect(states.at(-1)).toEqual({ kind: 'live' }));
  const tries = states.flatMap((state) => (state.kind === 'interrupted' ? [state.tries] : []));
  expect(tries).toEqual([1, 2, 3]);
  stream.close();
  await stream.ended;
});

test('Retry-After is honoured', async () => {
  await using server = await localServer((_, reply, call) => {
    if (call === 1) reply.writeHead(503, { 'retry-after': '7' }).end();
    else begin(reply, ': hello\n\n');
  });
  const { world, wake } = handWorld();
  const { states, stream } = follow(server.url, world);
  await wake(7_000);
  await vi.waitFor(() => expect(states.at(-1)).toEqual({ kind: 'live' }));
  stream.close();
  await stream.ended;
});

test('a silent stream counts as lost', async () => {
  await using server = await localServer((_, reply) => begin(reply, ': hello\n\n'));
  const { world, wake } = handWorld();
  const { states, stream } = follow(server.url, world, { silenceMsMax: 31_000 });
  await vi.waitFor(() => expect(states.at(-1)).toEqual({ kind: 'live' }));
  await wake(31_000);
  await wake(backOffMs(1, 1));
  await vi.waitFor(() => expect(server.requests).toHaveLength(2));
  stream.close();
  await stream.ended;
});

test('a refused token ends it: nobody knocks for ever with a dead token', async () => {
  await using server = await localServer((_, reply) => reply.writeHead(401).end());
  const { world } = handWorld();
  const { states, stream } = follow(server.url, world);
  await stream.ended;
  expect(states.at(-1)).toEqual({ kind: 'refused' });
  expect(server.requests).toHaveLength(1);
});

test('a broken event is left out, those around it arrive, split anywhere', async () => {
  const text = `${menuEvent(1, 4)}id: 2\nevent: menu\ndata: {broken\n\n${menuEvent(3, 2)}`;
  await using server = await localServer((_, reply) => {
    begin(reply, text.slice(0, 37));
    const parts = [text.slice(37, 38), text.slice(38, 80), text.slice(80)];
    const next = () => {
      const part = parts.shift();
      if (part) reply.write(part, next);
    };
    next();
  });
  const { world } = handWorld();
  const { messages, stream } = follow(server.url, world);
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  expect(stream.lastEventId()).toBe('3');
  stream.close();
  await stream.ended;
});

test('closing ends it in any state', async () => {
  await using server = await localServer((request) => request.socket.destroy());
  const { world } = handWorld();
  const { states, stream } = follow(server.url, world);
  await vi.waitFor(() => expect(states.at(-1)?.kind).toBe('interrupted'));
  stream.close();
  await stream.ended;
  expect(states.at(-1)).toEqual({ kind: 'closed' });
});

test('the back-off doubles to its ceiling, and at least half of it is certain', () => {
  expect([1, 2, 3, 20].map((tries) => backOffMs(tries, 1))).toEqual([250, 500, 1_000, 10_000]);
  expect(backOffMs(2, 0)).toBe(250);
});
