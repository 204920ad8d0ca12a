// For each invariant, histories and books that break it, made by hand out of a good run.

import { expect, test } from 'vitest';
import { check, invariants } from '../src/index.ts';
import { badEffects } from './bad-effects.ts';
import { badOrders } from './bad-orders.ts';
import { badRefusals } from './bad-refusals.ts';
import { type Run, Shop } from './shop-model.ts';
import { soup, spoilt, twice } from './spoil.ts';

const cases = { ...badOrders, ...badEffects, ...badRefusals };
const nothing = (): void => undefined;

test.each(Object.entries(cases))('%s', (_, { breaks, counts, says, run }) => {
  const verdict = check(...judged(run()));
  const found = verdict.violations.filter(({ invariant }) => invariant === breaks);
  const texts = found.map(({ subject, detail }) => `${subject}: ${detail}`).join('\n');
  expect(texts, JSON.stringify(verdict.violations, undefined, 1)).toMatch(says);
  expect(found.some((one) => one.counts === counts)).toBe(true);
  expect(verdict.counts[counts]).toBeGreaterThan(0);
  expect(verdict.ok).toBe(false);
});

function judged({ history, evidence }: Run) {
  return [history, evidence, { drained: true }] as const;
}

test('the runs that are spoilt here are good before', () => {
  for (const ask of [undefined, twice]) {
    expect(check(...judged(spoilt(nothing, ask)())).violations).toEqual([]);
  }
});

test('every invariant has a bad history', () => {
  const broken = new Set(Object.values(cases).map(({ breaks }) => breaks));
  expect([...broken].sort()).toEqual(Object.keys(invariants).sort());
});

test('a client that listened all along hears every end', () => {
  const { history, evidence } = spoilt(nothing)();
  const listeners = [
    { proc: 'ada stream', student: 'ada' },
    { proc: 'bob stream', student: 'bob' },
  ];
  const options = { drained: true, listeners };
  expect(check(history, evidence, options).ok).toBe(true);
  const deaf = history.filter((entry) => entry.type !== 'heard' || entry.status !== 'paid');
  const { violations } = check(deaf, evidence, options);
  expect(violations).toEqual([
    {
      ...{ invariant: 'I10', subject: 'order-1', counts: 'unexpected' },
      detail: 'was paid, and ada stream never hears it',
    },
  ]);
});

test('with shifted clocks, "sold out" is compared with the whole run, and nothing else with a clock', () => {
  const shop = new Shop({ soup: 5 });
  shop.place('ada', 'k1', soup(6));
  shop.place('ada', 'k2', soup(1), 'at once', 'late');
  const run = shop.close();
  for (const move of run.evidence.stockMoves) move.atMs -= 3_600_000;
  const late = run.evidence.orders[1]?.history.at(-1);
  if (late) late.atMs -= deadlineBeforeMs;
  const options = { drained: true, clocksShifted: true };
  const verdict = check(run.history, run.evidence, options);
  expect(verdict.violations).toEqual([]);
  expect(verdict.notChecked.map(({ invariant }) => invariant)).toEqual(['I12']);
  for (const move of run.evidence.stockMoves) if (move.by > 1) move.by = 9;
  const { violations } = check(run.history, run.evidence, options);
  expect(violations.map(({ invariant }) => invariant)).toContain('I12');
});

const deadlineBeforeMs = 10_000;
