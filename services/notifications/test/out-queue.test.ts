import { openPostgres, type PostgresStore, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase } from '@rushlight/chassis/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { OutMessage } from '../src/messenger.ts';
import { createPostgresOutQueue, type Leased, type OutQueue } from '../src/out/queue.ts';
import { endOf } from '../src/out/sender.ts';
import { idOf } from './help.ts';

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let database: PostgresStore;
let queue: OutQueue;

beforeAll(async () => {
  fresh = await freshDatabase('notifications_out');
  database = await openPostgres({
    url: fresh.url,
    name: 'notifications',
    env: realEnvironment,
    log: silentLog,
    migrations: new URL('../migrations/', import.meta.url),
  });
  queue = createPostgresOutQueue(database);
});
beforeEach(async () => {
  await database.query({ name: 'test_empty', text: 'TRUNCATE outgoing' });
});
afterAll(async () => {
  await database?.close();
  await fresh?.[Symbol.asyncDispose]();
});

const message = (name: string, step = 'ready'): OutMessage => ({
  ...{ eventId: 1, orderId: idOf(name), studentId: name, step, text: `For ${name}.` },
});
const minuteMs = 60_000;
const rows = () =>
  database.query<{ student_id: string; state: string; text: string; attempts: number }>({
    name: 'test_rows',
    text: 'SELECT student_id, state, text, attempts FROM outgoing ORDER BY student_id, channel',
  });
/** As if this long had passed for everything that waits. */
const age = (ms: number) =>
  database.query({
    name: `test_age_${ms}`,
    text: `UPDATE outgoing SET queued_at = queued_at - interval '${ms} ms',
      due_at = due_at - interval '${ms} ms', ended_at = ended_at - interval '${ms} ms'`,
  });

test('one order and step is one message on each channel, however often it is put in line', async () => {
  await queue.add([message('sara'), message('omar')], ['mail', 'sms']);
  await queue.add([message('sara'), message('sara', 'cancelled')], ['mail', 'sms']);
  expect(await queue.waitingUpTo(100)).toBe(6);
  expect(await queue.waitingUpTo(4)).toBe(4);
  expect(await queue.waiting('mail')).toMatchObject({ count: 3 });
  const letters = await queue.lease('mail', 10, minuteMs);
  const ready = letters.find(({ studentId, step }) => studentId === 'sara' && step === 'ready');
  expect(ready).toMatchObject({ orderId: idOf('sara'), text: 'For sara.', attempts: 1 });
  expect(await queue.settle('mail', ready as Leased, { state: 'sent' })).toBe(true);
  await queue.add([message('sara')], ['mail', 'sms']);
  expect(await queue.waiting('mail')).toMatchObject({ count: 2 });
});

test('many senders at once lease every message exactly once', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `student${index}`);
  await queue.add(
    names.map((name) => message(name)),
    ['mail'],
  );
  const leased: string[] = [];
  const sender = async (): Promise<void> => {
    for (;;) {
      const letters = await queue.lease('mail', 7, minuteMs);
      if (letters.length === 0) return;
      leased.push(...letters.map(({ studentId }) => studentId));
    }
  };
  await Promise.all([1, 2, 3, 4].map(sender));
  // Whoever looked while the last rows were locked may have gone; what is left is still there.
  await sender();
  expect(leased.sort()).toEqual(names.sort());
});

test('who lost the lease can no longer say what became of the message', async () => {
  await queue.add([message('sara')], ['mail']);
  const [slow] = await queue.lease('mail', 1, minuteMs);
  expect(await queue.lease('mail', 1, minuteMs)).toEqual([]);
  await age(minuteMs + 1_000);
  const [quick] = await queue.lease('mail', 1, minuteMs);
  expect(quick).toMatchObject({ studentId: 'sara', attempts: 2 });
  expect(await queue.settle('mail', slow as Leased, { state: 'refused' })).toBe(false);
  expect(await queue.settle('mail', quick as Leased, { state: 'sent' })).toBe(true);
  expect(await queue.settle('mail', quick as Leased, { state: 'sent' })).toBe(false);
  expect(await rows()).toEqual([{ student_id: 'sara', state: 'sent', text: '', attempts: 2 }]);
});

test('what is to come again later waits for so long, and keeps its text', async () => {
  await queue.add([message('sara')], ['sms']);
  const [letter] = await queue.lease('sms', 1, 1);
  await queue.settle('sms', letter as Leased, { state: 'waiting', waitMs: minuteMs });
  expect(await queue.lease('sms', 1, minuteMs)).toEqual([]);
  await age(minuteMs + 1_000);
  expect(await queue.lease('sms', 1, minuteMs)).toMatchObject([{ text: 'For sara.', attempts: 2 }]);
  expect((await queue.waiting('sms')).oldestS).toBeGreaterThan(60);
});

test('what ended long ago is forgotten, what waits is not', async () => {
  await queue.add([message('old'), message('waiting')], ['mail']);
  const letters = await queue.lease('mail', 2, minuteMs);
  const old = letters.find(({ studentId }) => studentId === 'old');
  await queue.settle('mail', old as Leased, { state: 'refused' });
  expect(await queue.forget(minuteMs, 10)).toBe(0);
  await age(minuteMs + 1_000);
  expect(await queue.forget(minuteMs, 10)).toBe(1);
  expect((await rows()).map(({ state }) => state)).toEqual(['waiting']);
});

test('a message comes again ever more seldom, and not for ever', () => {
  const letter = (attempts: number, ageMs = 0): Leased => ({
    ...{ orderId: idOf('o'), step: 'ready', studentId: 's', text: 't', attempts, ageMs },
  });
  const later = { outcome: 'later', why: '450' } as const;
  const waits = [1, 2, 3, 10, 100].map((attempts) => endOf(later, letter(attempts), 1));
  expect(waits).toEqual(
    [2_000, 4_000, 8_000, 600_000, 600_000].map((waitMs) => ({ state: 'waiting', waitMs })),
  );
  expect(endOf({ ...later, waitMs: 7_000 }, letter(1), 0)).toMatchObject({ waitMs: 7_000 });
  expect(endOf({ outcome: 'down', why: 'ECONNREFUSED' }, letter(50), 0)).toMatchObject({
    waitMs: 1_000,
  });
  const tooOldMs = 25 * 3_600_000;
  expect(endOf(later, letter(300, tooOldMs), 0)).toEqual({ state: 'expired' });
  expect(endOf({ outcome: 'sent' }, letter(1, tooOldMs), 0)).toEqual({ state: 'sent' });
  expect(endOf({ outcome: 'refused', why: '550' }, letter(1), 0)).toEqual({ state: 'refused' });
});
