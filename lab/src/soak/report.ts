// A line per slice, and the sums at the end.

import { badCounts } from '@rushlight/auditor';
import { type Growth, growths, totalMb } from './memory.ts';
import { type SliceRecord, type SoakState, soakedMinutes } from './state.ts';

const violationsShown = 20;

export type SoakVerdict = { ok: boolean; text: string };

export function lineOf(one: SliceRecord): string {
  const bad = badCounts
    .filter((name) => one.bad[name] > 0)
    .map((name) => `${name} ${one.bad[name]}`);
  const parts = [
    `slice ${one.nth + 1}`,
    `seed ${one.seed}`,
    `${Math.round(one.durationS)} s`,
    `${one.acknowledged} acknowledged, ${one.sold} sold`,
    `${one.kills} kills, ${one.stops} stops`,
    `${Math.round(totalMb(one))} MB`,
    `${one.deadLetters} dead letters`,
    bad.length === 0 ? 'all bad counts 0' : bad.join(', '),
  ];
  return parts.join(' · ');
}

/** The sums over all slices, and whether every promise was kept. */
export function summarize(state: SoakState): SoakVerdict {
  const { slices, seed } = state;
  const sum = (value: (one: SliceRecord) => number): number =>
    slices.reduce((total, one) => total + value(one), 0);
  const runs = [...new Set(slices.map(({ run }) => run))];
  const deadLetters = runs
    .map((run) => slices.findLast((one) => one.run === run)?.deadLetters ?? 0)
    .reduce((total, count) => total + count, 0);
  const bad = badCounts.map((name): [string, number] => [name, sum((one) => one.bad[name])]);
  const memory = growths(slices);
  const rows: [string, string | number][] = [
    ['soaked', `${soakedMinutes(state).toFixed(1)} minutes in ${runs.length} runs, seed ${seed}`],
    ['slices', slices.length],
    ['orders', sum((one) => one.orders)],
    ['acknowledged', sum((one) => one.acknowledged)],
    ['sold', sum((one) => one.sold)],
    ['kills', sum((one) => one.kills)],
    ['stops', sum((one) => one.stops)],
    ...bad,
    ['dead letters', deadLetters],
    ...memory.map((growth): [string, string] => [`memory, ${growth.part}`, wordsOf(growth)]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 3;
  const violations = slices.flatMap((one) =>
    one.violations.map((text) => `slice ${one.nth + 1}, seed ${one.seed}: ${text}`),
  );
  const ok =
    slices.length > 0 &&
    deadLetters === 0 &&
    bad.every(([, count]) => count === 0) &&
    memory.every(({ verdict }) => verdict !== 'grows');
  const text = [
    ...rows.map(([name, value]) => `${name.padEnd(width)}${value}`),
    ...violations.slice(0, violationsShown),
    ok ? 'Every promise was kept in every slice.' : 'Not every promise was kept.',
  ].join('\n');
  return { ok, text };
}

function wordsOf({ slices, firstMb, lastMb, rise, verdict }: Growth): string {
  const percent = `${rise >= 0 ? '+' : ''}${Math.round(rise * 100)} %`;
  const how = `${Math.round(firstMb)} → ${Math.round(lastMb)} MB over ${slices} slices`;
  return `${how}, its line ${percent}: ${verdict}`;
}
