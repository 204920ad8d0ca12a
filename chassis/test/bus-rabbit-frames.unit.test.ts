import type { SyncMessage } from 'rabbitmq-client';
import { expect, test } from 'vitest';
import { defaultDeliveryPolicy, letterOf } from '../src/bus/delivery.ts';
import {
  type Outgoing,
  readDeath,
  readFate,
  readReturns,
  readStored,
  toAll,
  toDead,
  toEars,
  toQueue,
} from '../src/bus/rabbit/frames.ts';
import { familyOf } from '../src/bus/rabbit/topology.ts';

const stored = {
  id: '01a2009f-afbd-7300-a762-550261aabdad',
  topic: 'stock.decided',
  atMs: 1_764_000_000_123,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  events: '[{"é":1}]',
};

/** What comes out of the broker for what went in. */
const carried = ({ envelope, body }: Outgoing, headers = {}): SyncMessage => ({
  ...envelope,
  headers: { ...envelope.headers, ...headers },
  exchange: envelope.exchange ?? '',
  routingKey: envelope.routingKey ?? '',
  deliveryTag: 1,
  redelivered: false,
  messageCount: 0,
  body,
});

test('a message comes out as it went in, with what happened to it', () => {
  const fate = { attempts: 3, delays: 2, deaths: 1 };
  const incoming = carried(toQueue('q', stored, fate, 12.4), { 'x-delivery-count': 4 });
  expect(readStored(incoming)).toEqual(stored);
  expect(readFate(incoming)).toEqual(fate);
  expect(readReturns(incoming)).toBe(4);
  expect(incoming.expiration).toBe('12');
  const fresh = carried(toAll('x', { ...stored, traceparent: null }));
  expect(readStored(fresh)).toEqual({ ...stored, traceparent: null });
  expect(readFate(fresh)).toEqual({ attempts: 0, delays: 0, deaths: 0 });
});

test('what must last is mandatory and durable, a hint is neither', () => {
  expect(toAll('x', stored).envelope).toMatchObject({ mandatory: true, durable: true });
  expect(toEars('x', stored).envelope).toMatchObject({ mandatory: false, durable: false });
});

test('a letter tells of its death; of the deaths in the broker it tells, too', () => {
  const letter = letterOf('orders', stored, 8, 'no');
  const ours = carried(toDead('q', letter, 1_764_000_000_999));
  expect(readDeath(ours)).toEqual({ error: 'no', diedAtMs: 1_764_000_000_999 });
  expect(readFate(ours).attempts).toBe(8);
  const death = [{ reason: 'delivery_limit', time: 1_764_000_000 }];
  const theirs = carried(toAll('x', stored), { 'x-death': death });
  expect(readDeath(theirs)).toEqual({
    error: 'the broker gave up on it: delivery_limit',
    diedAtMs: 1_764_000_000_000,
  });
});

test.each([
  {},
  { headers: { 'rushlight-at-ms': 'x', 'rushlight-attempts': {}, 'x-death': 'no list' } },
  { headers: { 'rushlight-died-at-ms': '1e300', 'x-death': [null] }, messageId: 'no uuid' },
])('what others put into a queue is read, whatever it is: %j', (strange) => {
  const body = Buffer.from('anything');
  const incoming = { ...carried({ envelope: {}, body }), routingKey: 'key', ...strange };
  const { id, topic, events, atMs } = readStored(incoming);
  expect({ topic, events, atMs }).toEqual({ topic: 'key', events: 'anything', atMs: 0 });
  expect(id).toMatch(/^[0-9a-f]{8}-/);
  expect(readFate(incoming)).toEqual({ attempts: 0, delays: 0, deaths: 0 });
  expect(() => new Date(readDeath(incoming).diedAtMs).toISOString()).not.toThrow();
});

test('every wait of the policy finds a queue that lets it last', () => {
  const { delays } = familyOf('orders', defaultDeliveryPolicy);
  expect(delays.map(({ mostMs }) => mostMs)).toEqual([500, defaultDeliveryPolicy.backoffMsMax]);
  expect(new Set(delays.map(({ queue }) => queue)).size).toBe(2);
});
