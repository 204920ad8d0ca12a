import { expect, test } from 'vitest';
import { reportFailure } from '../src/many.ts';
import { run } from '../src/run.ts';
import { drawFaults, drawSettings } from '../src/settings.ts';
import { commandOf, shrink } from '../src/shrink.ts';
import { planted } from './planted.ts';

const { compose } = planted['sold out before the key'];

async function firstFailing(): Promise<number> {
  for (let seed = 1; seed <= 500; seed++) {
    const { findings } = await run({ seed, compose });
    if (findings.length > 0) return seed;
  }
  throw new Error('no seed fails');
}

test('a run that fails is shrunk to one that still fails, with less in it', async () => {
  const options = { seed: await firstFailing(), compose };
  const failing = await run(options);
  const { outcome, options: smaller } = await shrink(failing, options, run);
  const rules = new Set(failing.findings.map(({ rule }) => rule));
  expect(outcome.findings.some(({ rule }) => rules.has(rule))).toBe(true);
  expect(outcome.plan.orders.length).toBeLessThanOrEqual(failing.plan.orders.length);
  const again = await run(smaller);
  expect(again.hash).toBe(outcome.hash);
}, 300_000);

test('a failure is told: what broke, the story of the smallest run, the command', async () => {
  const options = { seed: await firstFailing(), compose };
  const told = await reportFailure(await run(options), options, run);
  expect(told).toContain(`Seed ${options.seed} breaks:`);
  expect(told).toMatch(/ ms {2}s\d#\d+ +asks #\d+: place/);
  expect(told).toContain(`npm run sim -- --seed ${options.seed}`);
}, 300_000);

test('what was left out stands in the command that repeats the run', () => {
  const options = {
    seed: 7,
    settings: { ackLostRate: 0, declineRate: 0 },
    without: { faults: [1, 2], orders: [4] },
  };
  expect(commandOf(options)).toBe(
    'npm run sim -- --seed 7 --set ackLostRate=0,declineRate=0 --without-faults 1,2 --without-orders 4 --trace',
  );
});

test('orders that are left out change no other order and no fault', async () => {
  const whole = await run({ seed: 11 });
  const [first, ...others] = whole.plan.orders;
  const part = await run({ seed: 11, without: { orders: [first?.index ?? 0] } });
  expect(part.plan.orders).toEqual(others);
  expect(part.faultPlan).toEqual(whole.faultPlan);
});

test('settings given replace those drawn, and only those', () => {
  const random = (): number => 0.9;
  const drawn = drawSettings(random);
  expect(drawSettings(random, { crashes: 0 })).toEqual({ ...drawn, crashes: 0 });
  expect(
    drawFaults({ ...drawn, crashes: 0, stops: 0, busDowns: 0, clockJumps: 0 }, random),
  ).toEqual([]);
});
