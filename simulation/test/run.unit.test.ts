import { expect, test } from 'vitest';
import { type FaultKind, faultKinds } from '../src/engine/fault-kinds.ts';
import { runMany } from '../src/many.ts';
import { run } from '../src/run.ts';

test('a seed run twice is the same run', async () => {
  for (const seed of [1, 2, 3, 40, 500]) {
    const one = await run({ seed });
    const two = await run({ seed, tells: true });
    expect(two.hash).toBe(one.hash);
    expect(two.history).toEqual(one.history);
  }
});

test('another seed is another run', async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) hashes.add((await run({ seed })).hash);
  expect(hashes.size).toBe(20);
});

test('every kind of fault strikes in some run', async () => {
  const { totals, failing } = await runMany({ from: 1, seeds: 100, run });
  expect(failing).toEqual([]);
  const missing = faultKinds.filter((kind: FaultKind) => !totals.faults[kind]);
  expect(missing).toEqual([]);
}, 300_000);

test('runs end in every way that an order can end', async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    for (const entry of (await run({ seed })).history) {
      if (entry.type !== 'ok' || entry.op !== 'read') continue;
      ends.add(entry.order.reason ?? entry.order.status);
    }
  }
  expect([...ends]).toEqual(
    expect.arrayContaining([
      'collected',
      'student',
      'kitchen',
      'insufficient_funds',
      'payment_declined',
    ]),
  );
}, 300_000);

test('a run that differs from itself is a finding', async () => {
  let runs = 0;
  const { failing } = await runMany({
    from: 50,
    seeds: 1,
    run: async (options) => ({ ...(await run(options)), hash: `${++runs}` }),
  });
  expect(failing[0]?.findings.map(({ rule }) => rule)).toEqual(['determinism']);
});
