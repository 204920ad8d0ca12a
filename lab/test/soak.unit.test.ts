import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partNames } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { growths } from '../src/soak/memory.ts';
import { planSlice, slice } from '../src/soak/plan.ts';
import { lineOf, summarize } from '../src/soak/report.ts';
import {
  readState,
  type SliceRecord,
  type SoakState,
  soakedMinutes,
  writeState,
} from '../src/soak/state.ts';

const bad = {
  ...{ lost: 0, unsettled: 0, duplicated: 0, oversold: 0 },
  ...{ chargedTwice: 0, chargedUnsold: 0, refusedNeedlessly: 0, unexpected: 0 },
};

function record(nth: number, change: Partial<SliceRecord> = {}): SliceRecord {
  return {
    ...{ nth, run: 0, seed: nth, startedAt: '2026-01-01T00:00:00.000Z', durationS: 30 },
    ...{ orders: 500, acknowledged: 400, sold: 390, kills: 3, stops: 2, bad },
    ...{ notChecked: 0, deadLetters: 0, spared: 'orders', violations: [] },
    memoryMb: { orders: 100, postgres: 200 },
    ...change,
  };
}

const soaked = (slices: SliceRecord[]): SoakState => ({ version: 1, seed: 1, slices });

test('each slice kills and stops something, within its time; who is spared is not killed', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 1_000 }), (seed, nth) => {
      const { faults, spared } = planSlice(seed, nth);
      expect(new Set(faults.map(({ fault }) => fault))).toEqual(new Set(['kill', 'stop']));
      for (const { fault, target, atS, durationS } of faults) {
        expect(atS).toBeLessThan(slice.seconds);
        expect(durationS).toBeLessThanOrEqual(20);
        if (fault === 'kill') expect(target).not.toBe(spared);
      }
      expect(planSlice(seed, nth)).toMatchObject({ faults, spared });
    }),
  );
});

test('every part is spared in its turn, and everything is killed at the end of each', () => {
  const plans = Array.from({ length: 16 * partNames.length }, (_, nth) => planSlice(1, nth));
  expect(new Set(plans.map(({ spared }) => spared))).toEqual(new Set(partNames));
  const all = plans.filter(({ faults }) => faults.some(({ target }) => target === 'everything'));
  expect(all).toHaveLength(partNames.length);
});

test('a state that was written is read again; what is none is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-soak-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'soak.json');
  expect(readState(file)).toBeUndefined();
  const state = soaked([record(0), record(1)]);
  writeState(file, state);
  expect(readState(file)).toEqual(state);
  expect(soakedMinutes(state)).toBe(1);
  for (const text of ['{"version": 2}', '[]', '{', '']) {
    writeFileSync(file, text);
    expect(() => readState(file)).toThrow('is not the state of a soak');
  }
});

const memoryOf = (mb: (nth: number) => number, count: number): SliceRecord[] =>
  Array.from({ length: count }, (_, nth) => record(nth, { memoryMb: { orders: mb(nth) } }));

test.each([
  ['stays as it is', (nth: number) => 100 + (nth % 3), 'flat'],
  ['warms up and stays', (nth: number) => (nth < 4 ? 50 : 100), 'flat'],
  ['rises by a twentieth each slice', (nth: number) => 100 + 5 * nth, 'grows'],
] as const)('memory that %s', (_, mb, verdict) => {
  const found = growths(memoryOf(mb, 24));
  expect(found.map((one) => [one.part, one.verdict])).toEqual([
    ['total', verdict],
    ['orders', verdict],
  ]);
});

test('few slices, and those of several runs, are no verdict on memory', () => {
  const rising = memoryOf((nth) => 100 + 50 * nth, 24);
  expect(growths(rising.slice(0, 15)).map(({ verdict }) => verdict)).not.toContain('grows');
  const cut = rising.map((one) => ({ ...one, run: Math.floor(one.nth / 12) }));
  expect(growths(cut).map(({ verdict }) => verdict)).not.toContain('grows');
});

test('a summary is good only when nothing bad was counted, and adds up the rest', () => {
  const good = summarize(soaked([record(0), record(1)]));
  expect(good.ok).toBe(true);
  expect(good.text).toMatch(/kills +6\n/);
  expect(lineOf(record(0))).toMatch(/^slice 1 .*300 MB.*all bad counts 0$/);
  const lost = record(1, { bad: { ...bad, lost: 2 }, violations: ['I2 o1: is not found'] });
  expect(summarize(soaked([record(0), lost])).ok).toBe(false);
  expect(summarize(soaked([record(0), lost])).text).toContain('I2 o1: is not found');
  expect(lineOf(lost)).toMatch(/lost 2$/);
  expect(summarize(soaked([record(0, { deadLetters: 1 })])).ok).toBe(false);
  expect(summarize(soaked([])).ok).toBe(false);
});
