// Reads what an expression needs, once, before it is evaluated.

import { LimitError, type Range, type SeriesSource } from '../model.ts';
import type { Expression, Selector } from './ast.ts';
import { compareLabels, type LabelTable } from './label-sets.ts';
import { type LoadedSeries, lookbackMs } from './loaded-series.ts';

export type Loaded = (selector: Selector) => readonly LoadedSeries[];
export type ReadLimits = {
  /** Samples that one question may read. */
  samplesMax: number;
  /** Series that one question may read. */
  seriesMax: number;
};

/**
 * Reads each selector's series over all that the evaluation of `range` can look at. Selectors with
 * the same matchers are read together.
 *
 * @throws LimitError when it is more than the limits allow
 */
export async function load(
  expression: Expression,
  range: Range,
  source: SeriesSource,
  table: LabelTable,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<Loaded> {
  const wanted = new Map<string, { selector: Selector; range: Range }>();
  for (const { selector, backMs } of reads(expression)) {
    const key = keyOf(selector);
    const other = wanted.get(key)?.range;
    const fromMs = range.fromMs - selector.offsetMs - backMs;
    const toMs = range.toMs - selector.offsetMs;
    wanted.set(key, {
      selector,
      range: {
        fromMs: Math.min(fromMs, other?.fromMs ?? fromMs),
        toMs: Math.max(toMs, other?.toMs ?? toMs),
      },
    });
  }
  const read = new Map<string, LoadedSeries[]>();
  const left = { samples: limits.samplesMax, series: limits.seriesMax };
  for (const [key, { selector, range: part }] of wanted) {
    const found = await source.select(selector.matchers, part, signal);
    left.series -= found.length;
    left.samples -= found.reduce((sum, { atMs }) => sum + atMs.length, 0);
    if (left.series < 0 || left.samples < 0) throw tooMuch(limits);
    read.set(
      key,
      found
        .map((one) => ({ ...one, labels: table.of(one.labels) }))
        .sort((a, b) => compareLabels(a.labels.labels, b.labels.labels)),
    );
  }
  return (selector) => read.get(keyOf(selector)) ?? [];
}

function tooMuch({ samplesMax, seriesMax }: ReadLimits): LimitError {
  return new LimitError(
    `the question reads more than ${samplesMax} samples or ${seriesMax} series; ` +
      'ask for less time, or select fewer series by their labels',
  );
}

function keyOf({ matchers }: Selector): string {
  return JSON.stringify(matchers);
}

type Read = { selector: Selector; backMs: number };

function reads(expression: Expression): Read[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'selector':
      return [{ selector: expression, backMs: lookbackMs }];
    case 'range':
      return [{ selector: expression.selector, backMs: expression.rangeMs }];
    case 'over-range': {
      const { selector, rangeMs, parameter } = expression;
      const own = { selector, backMs: rangeMs };
      return parameter === undefined ? [own] : [own, ...reads(parameter)];
    }
    case 'call':
      return expression.arguments.flatMap(reads);
    case 'aggregation': {
      const { of, parameter } = expression;
      return parameter === undefined ? reads(of) : [...reads(parameter), ...reads(of)];
    }
    case 'negation':
      return reads(expression.of);
    case 'arithmetic':
    case 'comparison':
    case 'set':
      return [...reads(expression.left), ...reads(expression.right)];
  }
}
