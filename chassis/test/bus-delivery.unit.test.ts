import type { Message } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { broadcastPayloads, payloadBytesMax, readBroadcast } from '../src/bus/broadcast.ts';
import {
  backoffMs,
  derivedId,
  inspect,
  type StoredMessage,
  storedFrom,
  verdictOn,
} from '../src/bus/delivery.ts';
import { defaultDeliveryPolicy as policy } from '../src/bus/index.ts';
import { UnavailableError } from '../src/store/index.ts';

const id = '0193c1de-0000-7000-8000-000000000001';
const env = { random: () => 0.5 };
const tries = fc.record({ attempts: fc.nat(100), delays: fc.nat(10_000) });

const stored = (events: unknown, topic = 'stock.decided'): StoredMessage => ({
  id,
  topic,
  atMs: 1,
  traceparent: null,
  events: typeof events === 'string' ? events : JSON.stringify(events),
});

test('an unreachable neighbour means to wait, after however many tries', () => {
  fc.assert(
    fc.property(tries, (known) => {
      const down = new UnavailableError('store', 'down');
      expect(verdictOn(down, stored([1]), known, policy, env).kind).toBe('wait');
    }),
  );
});

test('a delay grows to its limit, never beyond, and never to nothing', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (delays, chance) => {
        const delayMs = backoffMs(delays, policy, { random: () => chance });
        expect(delayMs).toBeGreaterThanOrEqual(policy.backoffMsMin / 2);
        expect(delayMs).toBeLessThanOrEqual(policy.backoffMsMax);
      },
    ),
  );
});

test('what is split holds the same events, one each, under ids that are always the same', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 2, maxLength: 20 }), (events) => {
      const failed = new Error('no');
      const known = { attempts: policy.attemptsMax, delays: 7 };
      const verdict = verdictOn(failed, stored(events), known, policy, env);
      expect(verdictOn(failed, stored(events), known, policy, env)).toEqual(verdict);
      if (verdict.kind !== 'split') throw new Error(verdict.kind);
      const whole = verdict.parts.flatMap((part) => JSON.parse(part.events) as unknown[]);
      expect(JSON.stringify(whole)).toBe(JSON.stringify(events));
      expect(new Set([id, ...verdict.parts.map((part) => part.id)]).size).toBe(events.length + 1);
    }),
  );
});

test('whatever stands in a queue, each event is delivered or dead, and none is both', () => {
  const good = fc.record({ orderId: fc.uuid(), outcome: fc.constantFrom('reserved', 'short') });
  fc.assert(
    fc.property(fc.array(fc.oneof(good, fc.jsonValue()), { maxLength: 10 }), (events) => {
      const { message, dead } = inspect('orders', stored(events), 1);
      expect((message?.events.length ?? 0) + dead.length).toBe(events.length);
      expect(new Set(dead.map(({ letterId }) => letterId)).size).toBe(dead.length);
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (events, topic) => {
      expect(() => inspect('orders', stored(events, topic), 1)).not.toThrow();
    }),
  );
});

test('an id that is derived is a UUID', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(derivedId(text)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }),
  );
});

test('a broadcast arrives whole in payloads that fit, whatever the names in it', () => {
  const event = fc.record({
    itemId: fc.stringMatching(/^[a-z]{1,20}$/),
    name: fc.string({ unit: 'grapheme', maxLength: 200 }),
    category: fc.string({ maxLength: 20 }),
    priceCents: fc.nat(100_000),
    removed: fc.boolean(),
    version: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 80 }), (events) => {
      const message: Message<'item.changed'> = { id, topic: 'item.changed', atMs: 1, events };
      const payloads = broadcastPayloads(message);
      for (const payload of payloads) {
        expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(payloadBytesMax);
      }
      const heard = payloads.flatMap((payload): unknown[] => readBroadcast(payload)?.events ?? []);
      expect(heard).toEqual(JSON.parse(storedFrom(message).events));
    }),
    { numRuns: 30 },
  );
});

test('a payload that is no message is not heard', () => {
  for (const payload of ['', 'x', 'null', '{}', '[]', '{"topic":"token.revoked","events":7}']) {
    expect(readBroadcast(payload)).toBeUndefined();
  }
});
