// PromQL, written with names that exist: a metric or a label that is not in the contracts' table, or
// not of the exporters that we run, does not compile.
//
// Q1. A window that follows the zoom is Grafana's `$__rate_interval`; what is recorded has its own.
// Q2. What never happened has no series. Where that means "none", it is written as a zero.

import type { MetricLabels, metrics } from '@rushlight/contracts';
import { recordingRules } from '@rushlight/monitor/rules';
import type { ForeignMetric } from './foreign-metrics.ts';

type Table = typeof metrics;
type Own = keyof Table;
type Histogram = { [N in Own]: Table[N]['kind'] extends 'histogram' ? N : never }[Own];
/** What stands in an exposition: a histogram is three. */
type OwnSeries = Exclude<Own, Histogram> | `${Histogram}_${'bucket' | 'sum' | 'count'}`;
type BaseOf<S extends OwnSeries> = S extends Own
  ? S
  : S extends `${infer N extends Histogram}_${'bucket' | 'sum' | 'count'}`
    ? N
    : never;

/** A value, a pattern, or either of them refused. */
type Matcher<V extends string = string> = V | RegExp | { readonly not: V | RegExp };
type Matchers = Readonly<Record<string, Matcher>>;
type LabelsOf<S extends OwnSeries> = MetricLabels<BaseOf<S>> &
  Record<'service' | 'instance', string> &
  (S extends `${string}_bucket` ? { le: string } : unknown);
type OwnMatchers<S extends OwnSeries> = {
  readonly [L in keyof LabelsOf<S>]?: LabelsOf<S>[L] extends string
    ? Matcher<LabelsOf<S>[L]>
    : never;
};

/** Series of ours, whose labels match. */
export function own<S extends OwnSeries>(name: S, labels: OwnMatchers<S> = {}): string {
  return selector(name, labels as Matchers);
}

/** The same for a metric that is chosen while this runs. */
export function anyOf(name: Own | `${Own}_bucket`, labels: Matchers): string {
  return selector(name, labels);
}

/** Series that somebody else writes: Node's client, Prometheus, an exporter. */
export function foreign<N extends ForeignMetric>(name: N, labels: Matchers = {}): string {
  return selector(name, labels);
}

const recordedNames: ReadonlySet<string> = new Set(recordingRules.map(({ record }) => record));

/**
 * What a rule records.
 *
 * @throws Error when no rule does
 */
export function recorded(name: string, labels: Matchers = {}): string {
  if (!recordedNames.has(name)) {
    throw new Error(
      `No rule of the monitor records ${name}. They record: ${[...recordedNames].join(', ')}`,
    );
  }
  return selector(name, labels);
}

const window = '$__rate_interval';

export const rate = (series: string): string => `rate(${series}[${window}])`;
export const sum = (vector: string): string => `sum(${vector})`;

export function by(
  aggregation: 'sum' | 'max' | 'min' | 'avg',
  labels: readonly string[],
  vector: string,
): string {
  return `${aggregation} by (${labels.join(', ')}) (${vector})`;
}

/** How often it happened a second; 0 where it never did (Q2). For a whole without labels. */
export const perSecond = (series: string): string => orNone(sum(rate(series)));
/** How often it happened in all the time shown. */
export const inAll = (series: string): string => orNone(`sum(increase(${series}[$__range]))`);
/** A zero where there is nothing at all (Q2). */
export const orNone = (vector: string): string => `${vector}${none}`;
export const none = ' or on() vector(0)';

/** A quantile of a histogram of ours, by the labels that are kept. */
export function quantile<N extends Histogram>(
  of: number,
  name: N,
  labels: OwnMatchers<`${N}_bucket`> = {},
  keep: readonly string[] = [],
): string {
  const buckets = selector(`${name}_bucket`, labels as Matchers);
  return `histogram_quantile(${of}, ${by('sum', ['le', ...keep], rate(buckets))})`;
}

function selector(name: string, labels: Matchers): string {
  const matchers = Object.entries(labels).map(([label, matcher]) => `${label}${test(matcher)}`);
  return matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`;
}

function test(matcher: Matcher): string {
  if (typeof matcher === 'string') return `=${JSON.stringify(matcher)}`;
  if (matcher instanceof RegExp) return `=~${pattern(matcher)}`;
  const { not } = matcher;
  return typeof not === 'string' ? `!=${JSON.stringify(not)}` : `!~${pattern(not)}`;
}

function pattern({ source }: RegExp): string {
  return JSON.stringify(source.replaceAll('\\/', '/'));
}
