// Orders a second, as the gateway counts them, laid out for a chart: one column for each outcome.

import type { publicApi, Reply } from '@rushlight/contracts';

export type Throughput = Reply<typeof publicApi.throughput>['body'];
type Second = Throughput['seconds'][number];
export type Outcome = Exclude<keyof Second, 'at'>;

export const outcomes = [
  { name: 'accepted', label: 'Accepted', color: '--chart-good' },
  { name: 'queued', label: 'Queued', color: '--chart-busy' },
  { name: 'soldOut', label: 'Sold out', color: '--chart-neutral' },
  { name: 'refused', label: 'Refused', color: '--chart-warn' },
  { name: 'failed', label: 'Failed', color: '--chart-bad' },
] as const satisfies readonly { name: Outcome; label: string; color: string }[];

/** Null draws nothing: a rare outcome shows where it happened, not as a line along zero. */
export type Columns = [xs: number[], ...ys: (number | null)[][]];

/**
 * Fixed rows for the window up to the last whole second; what was not counted is 0. The newest
 * second is not over: it would always look like a fall.
 */
export function columns({ windowS, seconds }: Throughput, nowMs: number): Columns {
  const newest = seconds.at(-1);
  const endS = Math.floor((newest ? Date.parse(newest.at) : nowMs) / 1000) - 1;
  const length = Math.max(1, Math.min(3_600, windowS));
  const startS = endS - length + 1;
  const xs = Array.from({ length }, (_, index) => startS + index);
  const ys = outcomes.map(() => new Array<number>(length).fill(0));
  for (const second of seconds) {
    const at = Math.floor(Date.parse(second.at) / 1000) - startS;
    if (at < 0 || at >= length) continue;
    for (const [index, { name }] of outcomes.entries()) {
      const column = ys[index];
      if (column) column[at] = second[name];
    }
  }
  return [xs, ...ys.map((column, index) => (index === 0 ? column : withoutRests(column)))];
}

/** Zeros stay only beside a figure, so that a peak has its two feet. */
function withoutRests(column: readonly number[]): (number | null)[] {
  return column.map((value, index) => {
    const rests = value === 0 && !column[index - 1] && !column[index + 1];
    return rests ? null : value;
  });
}

/** Orders of each outcome over the whole window. */
export function sums({ seconds }: Throughput): Record<Outcome, number> {
  const total: Record<Outcome, number> = {
    accepted: 0,
    queued: 0,
    soldOut: 0,
    refused: 0,
    failed: 0,
  };
  for (const second of seconds) {
    for (const { name } of outcomes) total[name] += second[name];
  }
  return total;
}
