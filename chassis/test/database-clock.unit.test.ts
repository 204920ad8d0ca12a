import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDatabaseClock } from '../src/store/index.ts';

/** A database whose clock is ahead of ours by `aheadMs`, and the time that asking it takes. */
function far(aheadMs: number) {
  const at = { monotonicMs: 5_000, aheadMs, thereMs: 0, backMs: 0 };
  const env = { monotonicMs: () => at.monotonicMs };
  const query = async <Row extends object>(): Promise<Row[]> => {
    at.monotonicMs += at.thereMs;
    const rows = [{ nowMs: at.monotonicMs + at.aheadMs }];
    at.monotonicMs += at.backMs;
    return rows as unknown as Row[];
  };
  return { at, env, store: { query } };
}

test('it tells the time of the database, and goes on between two looks', async () => {
  const { at, env, store } = far(1_000_000);
  const clock = await openDatabaseClock(store, env);
  expect(clock.nowMs()).toBe(1_005_000);
  at.monotonicMs += 750;
  expect(clock.nowMs()).toBe(1_005_750);
});

test('it is never off by more than the answer took, and still while nothing drifts', async () => {
  const ms = fc.integer({ min: 0, max: 500 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(ms, ms), { minLength: 1 }), async (ways) => {
      const { at, env, store } = far(1_000_000);
      const clock = await openDatabaseClock(store, env);
      const errorMs = (): number => clock.nowMs() - at.monotonicMs - at.aheadMs;
      const first = errorMs();
      for (const [thereMs, backMs] of ways) {
        Object.assign(at, { thereMs, backMs });
        await clock.look();
        expect(errorMs()).toBe(first);
      }
    }),
  );
});

test('it follows a database whose clock was set', async () => {
  const { at, env, store } = far(1_000_000);
  const clock = await openDatabaseClock(store, env);
  Object.assign(at, { aheadMs: 400_000, thereMs: 10, backMs: 30 });
  await clock.look();
  expect(Math.abs(clock.nowMs() - at.monotonicMs - 400_000)).toBeLessThanOrEqual(30);
});

test('a process that stood still in its first look does not believe it', async () => {
  const { at, env, store } = far(1_000_000);
  const waysMs = [
    [3_000, 500],
    [0, 900],
    [4, 6],
  ];
  const query = async <Row extends object>(): Promise<Row[]> => {
    const [thereMs, backMs] = waysMs.shift() ?? [250, 250];
    Object.assign(at, { thereMs, backMs });
    return store.query<Row>();
  };
  const clock = await openDatabaseClock({ query }, env);
  expect(Math.abs(clock.nowMs() - at.monotonicMs - 1_000_000)).toBeLessThanOrEqual(5);
  expect(waysMs).toEqual([]);
});

test('a database that is always slow is believed after eight looks', async () => {
  const { at, env, store } = far(1_000_000);
  Object.assign(at, { thereMs: 300, backMs: 100 });
  const clock = await openDatabaseClock(store, env);
  expect(at.monotonicMs).toBe(5_000 + 8 * 400);
  expect(Math.abs(clock.nowMs() - at.monotonicMs - 1_000_000)).toBeLessThanOrEqual(200);
});
