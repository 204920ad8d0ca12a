import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type Bus, openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import {
  clientAs,
  seededRandom,
  startService,
  type TestService,
  until,
} from '@rushlight/chassis/testing';
import { type Message, type OrderStatus, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { idOf, itemChanged, step, stockChanged, type Told, user } from './help.ts';
import { type EventSource, keepListening, listen } from './sse.ts';

const { myEvents, orderEvents, allEvents } = publicApi;
let service: TestService;
let bus: Bus;

beforeAll(async () => {
  service = await startService('notifications', {
    env: {
      RUSHLIGHT_NOTIFICATIONS_STREAMS_PER_USER_MAX: '4',
      RUSHLIGHT_NOTIFICATIONS_WAITING_BYTES_MAX: '16384',
    },
  });
  const { env, log } = { env: realEnvironment, log: silentLog };
  bus = await openPostgresBus({ url: service.busUrl, name: 'neighbour', env, log });
});

afterAll(async () => {
  await bus?.close();
  await service?.[Symbol.asyncDispose]();
});

const publish = (...messages: Message[]) => bus.publish(messages);
const orderOf = (studentId: string): Told => ({ orderId: randomUUID(), studentId });
const open = async (
  ...given: Parameters<typeof listen> extends [unknown, ...infer R] ? R : never
) => {
  const stream = await listen(service.as(), ...given);
  onTestFinished(() => stream.close());
  return stream;
};
const statusesOf = (stream: EventSource) =>
  stream.heard.filter(({ event }) => event === 'order').map(({ data }) => data['status']);
const taken = () =>
  until(async () => (await bus.depth('notifications')) === 0, { what: 'an empty queue' });
const kitchen = user('kitchen', 'kitchen');

test('a student hears the own orders and the menu, the kitchen hears all', async () => {
  const sara = orderOf('sara');
  const omar = orderOf('omar');
  const hers = await open(myEvents, user('sara'));
  const all = await open(allEvents, kitchen);
  await publish(step('stock_verified', [sara, omar]), itemChanged('soup', 1));
  await publish(step('paid', [sara, omar]), stockChanged('soup', 7, 1));
  const menuHeard = ({ heard }: EventSource) => heard.some(({ data }) => data['available'] === 7);
  await until(() => all.heard.length >= 5 && menuHeard(all), { what: 'all events' });
  await until(() => statusesOf(hers).length === 2 && menuHeard(hers), { what: 'her events' });
  expect(hers.heard.filter(({ event }) => event === 'order')).toMatchObject(
    ['stock_verified', 'paid'].map((status) => ({ data: { ...sara, status, pickupNumber: 7 } })),
  );
  expect(statusesOf(all)).toHaveLength(4);
  const ids = all.heard.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
});

test('each stream is for those who may open it', async () => {
  const order = orderOf('lina');
  await publish(step('queued', [order]));
  const params = { orderId: order.orderId };
  await expect(open(allEvents, user('lina'))).rejects.toMatchObject({ code: 'forbidden' });
  await expect(open(myEvents, kitchen)).rejects.toMatchObject({ code: 'forbidden' });
  const own = await open(orderEvents, user('lina'), { params });
  await expect(open(orderEvents, user('eve'), { params })).rejects.toMatchObject({
    code: 'order_not_found',
  });
  const watched = await open(orderEvents, kitchen, { params });
  const unknown = { params: { orderId: randomUUID() } };
  await expect(open(orderEvents, user('lina'), unknown)).rejects.toMatchObject({
    code: 'order_not_found',
  });
  await publish(step('paid', [order, orderOf('eve')]), stockChanged('rice', 1, 1));
  const streams = [own, watched];
  await until(() => streams.every((stream) => statusesOf(stream).includes('paid')), {
    what: 'the step',
  });
  await taken();
  for (const stream of streams) {
    const heard = stream.heard.map(({ event, data }) => [event, data['orderId']]);
    expect(heard).toEqual(heard.map(() => ['order', order.orderId]));
    // The first step was told just before they opened: the tail may have been there, or not yet.
    expect(['paid', 'queued,paid']).toContain(statusesOf(stream).join());
  }
  expect((await fetch(`${service.url}/api/v1/events`)).status).toBe(401);
});

test('the stream of an order that was only just placed waits for its first event', async () => {
  const order = orderOf('nour');
  const opening = open(orderEvents, user('nour'), { params: { orderId: order.orderId } });
  await publish(step('stock_verified', [order]));
  const stream = await opening;
  await publish(step('paid', [order]));
  await until(() => statusesOf(stream).includes('paid'), { what: 'the next step' });
});

test('a stream begins with the id of now; resuming there misses nothing', async () => {
  const order = orderOf('adam');
  const first = await open(myEvents, user('adam'));
  await until(() => first.lastId() !== undefined, { what: 'the first id' });
  first.close();
  await first.ended;
  expect(first.heard).toEqual([]);
  await publish(step('stock_verified', [order]), step('paid', [order]));
  await taken();
  const again = await open(myEvents, user('adam'), { lastEventId: first.lastId() });
  await until(() => statusesOf(again).length === 2, { what: 'what was missed' });
});

test('an id that is not ours, or is no number, gets a reset, and the stream goes on', async () => {
  for (const lastEventId of ['999999999', 'abc', '-1', '1.5', "1' OR 1=1"]) {
    const order = orderOf('reset');
    const stream = await open(myEvents, user('reset'), { lastEventId });
    await until(() => stream.heard.length > 0, { what: 'the reset' });
    expect(stream.heard[0]).toMatchObject({ event: 'reset', data: { why: expect.any(String) } });
    await publish(step('paid', [order]));
    await until(() => statusesOf(stream).length === 1, { what: 'what comes after' });
    stream.close();
    await stream.ended;
  }
});

test('a user has so many streams and no more; one that ends gives its place back', async () => {
  const greedy = user('greedy');
  const streams = await Promise.all([1, 2, 3, 4].map(() => open(myEvents, greedy)));
  await expect(open(myEvents, greedy)).rejects.toMatchObject({ code: 'busy', status: 503 });
  await open(myEvents, user('modest'));
  streams[0]?.close();
  const enter = () =>
    open(myEvents, greedy).then(
      () => true,
      () => false,
    );
  await until(enter, { what: 'the place to be free' });
});

test('a stream ends with its token', async () => {
  const stream = await open(myEvents, user('brief', 'student', 2));
  await stream.ended;
  expect(stream.heard.filter(({ event }) => event !== 'menu')).toEqual([]);
});

test('a message is written for each order that is ready or ended, and for no other', async () => {
  const [ready, ended] = [orderOf('mona'), orderOf('mona')];
  await publish(step('paid', [ready]), step('ready', [ready]), step('rejected', [ended]));
  const read = async () => {
    const file = join(service.dataFolder, 'messages.jsonl');
    const text = await readFile(file, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line)).filter(({ studentId }) => studentId === 'mona');
  };
  await until(async () => (await read()).length === 2, { what: 'two messages' });
  expect((await read()).map(({ orderId }) => orderId).sort()).toEqual(
    [ready.orderId, ended.orderId].sort(),
  );
});

const flow: Exclude<OrderStatus, 'pending'>[] = ['stock_verified', 'paid', 'in_kitchen', 'ready'];

test.for([1, 2, 3])(
  'whoever drops and resumes at random, while services die, hears all once (seed %i)',
  { timeout: 60_000 },
  async (seed) => {
    const random = seededRandom(seed);
    const pick = (limit: number): number => Math.floor(random() * limit);
    const students = [`rush${seed}a`, `rush${seed}b`];
    const listeners = [
      ...students.map((studentId) =>
        keepListening((lastEventId) =>
          listen(service.as(), myEvents, user(studentId), { lastEventId }),
        ),
      ),
      keepListening((lastEventId) => listen(service.as(), allEvents, kitchen, { lastEventId })),
    ];
    await until(() => listeners.every((each) => each.isOpen()), { what: 'all to listen' });
    const expected: string[] = [];
    for (let round = 0; round < 20; round++) {
      const orders = students.map((studentId, index) => ({
        orderId: idOf(`${seed} ${round} ${index}`),
        studentId,
      }));
      const messages = flow.map((status) => step(status, orders));
      const repeated = messages.map((message) => ({ ...message, id: randomUUID() }));
      const shuffled = [...messages, ...repeated].sort(() => random() - 0.5);
      await publish(...shuffled.slice(0, 3));
      await publish(...shuffled.slice(3));
      if (random() < 0.3) await publish(messages[pick(4)] ?? stockChanged('x', 1, 1));
      for (const order of orders) expected.push(...flow.map((at) => `${order.orderId} ${at}`));
      if (random() < 0.6) listeners[pick(3)]?.drop();
      if (round === 6 || round === 13) {
        // Else one that is still coming back after the first kill would feel only one of the two.
        await until(() => listeners.every((each) => each.isOpen()), { what: 'all to be back' });
        await service.kill();
        await service.start();
      }
    }
    const heardBy = (listener: (typeof listeners)[number], studentId?: string) =>
      listener
        .all()
        .filter(({ event, data }) => event === 'order' && expectedSet.has(String(data['orderId'])))
        .filter(({ data }) => studentId === undefined || data['studentId'] === studentId)
        .map(({ data }) => `${data['orderId']} ${data['status']}`);
    const expectedSet = new Set(expected.map((text) => text.split(' ')[0]));
    await until(() => heardBy(listeners[2] ?? never()).length >= expected.length, {
      deadlineMs: 20_000,
      what: 'the kitchen to hear all',
    });
    const [first, second, everybody] = listeners;
    await until(
      () => heardBy(first ?? never()).length + heardBy(second ?? never()).length >= expected.length,
      { deadlineMs: 10_000, what: 'the students to hear all' },
    );
    for (const listener of listeners) await listener.stop();
    expect(heardBy(everybody ?? never()).sort()).toEqual([...expected].sort());
    expect([...heardBy(first ?? never()), ...heardBy(second ?? never())].sort()).toEqual(
      [...expected].sort(),
    );
    for (const listener of listeners) {
      const ids = listener.all().map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      expect(listener.all().some(({ event }) => event === 'reset')).toBe(false);
    }
    expect(everybody?.connections()).toBeGreaterThan(2);
  },
);

function never(): never {
  throw new Error('a listener is missing');
}

test('who does not read is cut off, nobody waits for it, and SIGTERM does not either', async () => {
  const lazy = user('lazy');
  const { hostname, port } = new URL(service.url);
  const token = await gatewayToken();
  // A socket that never reads.
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write(
    [
      'GET /api/v1/me/events HTTP/1.1',
      `host: ${hostname}`,
      `authorization: ${token}`,
      'rushlight-student: lazy',
      'rushlight-role: student',
      `rushlight-token: ${lazy.tokenId} ${lazy.issuedAtS} ${lazy.expiresAtS}`,
      '',
      '',
    ].join('\r\n'),
  );
  const openStreams = async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return Number(/^notification_streams\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const reader = await open(myEvents, user('quick'));
  await until(async () => (await openStreams()) === 2, { what: 'both streams' });
  const orders = Array.from({ length: 400 }, () => orderOf('lazy'));
  for (let round = 0; (await openStreams()) > 1; round++) {
    if (round > 60) throw new Error('it is still open after 24,000 events');
    await publish(
      step(
        'paid',
        orders.map((order) => ({ ...order, orderId: randomUUID() })),
      ),
    );
    await taken();
  }
  await publish(step('paid', [orderOf('quick')]));
  await until(() => statusesOf(reader).length === 1, { what: 'the other to hear' });
  const stopping = service.stop();
  await reader.ended;
  expect(await stopping).toBe(0);
  await service.start();
});

/** What the gateway sends as its authorization: for a socket that we write to by hand. */
async function gatewayToken(): Promise<string> {
  let seen = '';
  const server = createServer((request, reply) => {
    seen = request.headers.authorization ?? '';
    reply.end('{}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const spy = clientAs('gateway', 'notifications', `http://127.0.0.1:${port}`);
  await spy.forward(myEvents, {});
  await spy.close();
  server.close();
  return seen;
}
