// A SeriesSource in memory, for tests.

import type { Labels, Range, Series, SeriesSource } from '../model.ts';
import { matchLabels } from '../promql/matchers.ts';

export type MemorySeries = {
  labels: Labels;
  /** Ascending. `'ended'` is where the series is known to have ended. */
  samples: readonly (readonly [atMs: number, value: number | 'ended'])[];
};

/** @param series `labels` include `__name__` */
export function memorySeries(series: readonly MemorySeries[]): SeriesSource {
  const all = series.map(({ labels, samples }): Series => {
    const values = samples.filter(([, value]) => value !== 'ended');
    return {
      labels,
      atMs: Float64Array.from(values, ([atMs]) => atMs),
      values: Float64Array.from(values, ([, value]) => Number(value)),
      endedAtMs: Float64Array.from(
        samples.filter(([, value]) => value === 'ended'),
        ([atMs]) => atMs,
      ),
    };
  });
  const within = (one: Series, range: Range): Series => {
    const from = one.atMs.findIndex((atMs) => atMs >= range.fromMs);
    const to = one.atMs.findLastIndex((atMs) => atMs <= range.toMs) + 1;
    const start = from < 0 ? to : from;
    return { ...one, atMs: one.atMs.slice(start, to), values: one.values.slice(start, to) };
  };
  const found: SeriesSource['select'] = async (matchers, range) => {
    const matches = matchLabels(matchers);
    return all
      .filter(({ labels }) => matches(labels))
      .map((one) => within(one, range))
      .filter(({ atMs }) => atMs.length > 0);
  };
  return {
    select: found,
    labelSets: async (matchers, range) =>
      (await found(matchers, range)).map(({ labels }) => labels),
  };
}

/** Samples at even distances, the first at `fromMs`; `undefined` leaves one out. */
export function everyMs(
  stepMs: number,
  values: readonly (number | 'ended' | undefined)[],
  fromMs = 0,
): [number, number | 'ended'][] {
  return values.flatMap((value, index): [number, number | 'ended'][] =>
    value === undefined ? [] : [[fromMs + index * stepMs, value]],
  );
}
