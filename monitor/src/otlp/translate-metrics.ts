// Metrics of OTLP as samples, the way Prometheus maps them.
//
// - `job` is `service.namespace/service.name`, `instance` is `service.instance.id`; `service` is the
//   name alone, as our own services have it. The other attributes of the resource are the labels of
//   `target_info`.
// - A histogram becomes `_bucket` with `le`, `_sum` and `_count`; a summary has `quantile`.
// - Deltas are refused: a sender that restarts or repeats itself would make wrong totals of them.
//   So are exponential histograms. SDKs send cumulative sums and explicit bounds unless told not to.
// - What would pass for ours is refused (./own-names.ts).
// - "No recorded value" ends the series there (M4 of ../model.ts).

import type { Attributes, Labels, Sample } from '../model.ts';
import type { Decoded } from './messages.ts';
import { labelName, type MetricShape, metricName } from './metric-names.ts';
import { isOwnMetric, isOwnService } from './own-names.ts';
import type { Translated } from './translate-traces.ts';
import { isInstant, isTraceId, originOf, Refusals } from './translation.ts';

const cumulative = 2;
const noRecordedValue = 1;

/** What is the same for all points of a metric. */
type Context = {
  nowUs: number;
  name: string;
  labels: Labels;
  records: Sample[];
  refusals: Refusals;
};

export function samplesOf(request: Decoded<'MetricsRequest'>, nowUs: number): Translated<Sample> {
  const records: Sample[] = [];
  const refusals = new Refusals();
  for (const { resource, scopeMetrics = [] } of request.resourceMetrics ?? []) {
    const labels = targetLabels(resource);
    const isOurs = isOwnService(originOf(resource).service);
    const before = records.length;
    for (const { metrics = [] } of scopeMetrics) {
      for (const metric of metrics) {
        if (isOurs)
          refusals.add('the service.name is that of a part of the shop', pointsOf(metric));
        else addMetric(metric, { nowUs, labels, records, refusals });
      }
    }
    const newest = records.slice(before).reduce((max, { atMs }) => Math.max(max, atMs), 0);
    if (newest > 0) records.push(targetInfo(resource, labels, newest));
  }
  return { records, refusals };
}

/** How many points it brings, of whatever kind. */
function pointsOf(metric: Decoded<'Metric'>): number {
  const { gauge, sum, histogram, summary, exponentialHistogram } = metric;
  const kinds = [gauge, sum, histogram, summary, exponentialHistogram];
  return kinds.reduce((points, kind) => points + (kind?.dataPoints?.length ?? 0), 0);
}

function addMetric(metric: Decoded<'Metric'>, given: Omit<Context, 'name'>): void {
  const { gauge, sum, histogram, summary, exponentialHistogram } = metric;
  const nameAs = (shape: MetricShape): string =>
    metricName(metric.name ?? '', metric.unit ?? '', shape);
  const named = (shape: MetricShape): Context => ({ ...given, name: nameAs(shape) });
  const { refusals } = given;
  const names = [gauge && nameAs('gauge'), sum && nameAs(sum.isMonotonic ? 'counter' : 'other')];
  if ([...names, nameAs('other')].some((name) => name !== undefined && isOwnMetric(name))) {
    refusals.add('the name of the metric is one of the shop or of the monitor', pointsOf(metric));
    return;
  }
  if (gauge) addNumbers(gauge.dataPoints, named('gauge'));
  if (sum && isCumulative(sum, refusals)) {
    addNumbers(sum.dataPoints, named(sum.isMonotonic ? 'counter' : 'other'));
  }
  if (histogram && isCumulative(histogram, refusals)) {
    for (const point of histogram.dataPoints ?? []) addHistogram(point, named('other'));
  }
  for (const point of summary?.dataPoints ?? []) addSummary(point, named('other'));
  const exponential = exponentialHistogram?.dataPoints?.length ?? 0;
  if (exponential > 0) {
    refusals.add('exponential histograms are not kept; use explicit bounds', exponential);
  }
}

function isCumulative(
  data: { aggregationTemporality?: number; dataPoints?: readonly unknown[] },
  refusals: Refusals,
): boolean {
  if (data.aggregationTemporality === cumulative) return true;
  const why = 'only cumulative sums are kept; set the temporality to cumulative';
  if (data.dataPoints?.length) refusals.add(why, data.dataPoints.length);
  return false;
}

type Point = { timeUnixNano?: number; flags?: number; attributes?: Attributes };

/** Where and when the values of a point belong; undefined and counted when it cannot be kept. */
function placeOf(point: Point, { name, labels, nowUs, refusals }: Context) {
  if (name === '' || !isInstant(point.timeUnixNano, nowUs)) {
    refusals.add('a point must have a name and an instant that is not in the future');
    return undefined;
  }
  return {
    atMs: Math.floor((point.timeUnixNano ?? 0) / 1_000),
    labels: { ...labelsOf(point.attributes), ...labels },
    stale: ((point.flags ?? 0) & noRecordedValue) !== 0,
  };
}

function addNumbers(points: readonly Decoded<'NumberPoint'>[] = [], context: Context): void {
  for (const point of points) {
    const place = placeOf(point, context);
    if (place === undefined) continue;
    const { atMs, labels, stale } = place;
    const [exemplar] = exemplarsOf(point.exemplars);
    context.records.push({
      name: context.name,
      labels,
      atMs,
      ...(stale ? ended : { value: point.asDouble ?? point.asInt ?? 0 }),
      ...(exemplar && !stale ? { exemplar } : {}),
    });
  }
}

const ended = { value: Number.NaN, stale: true } as const;

function addHistogram(point: Decoded<'HistogramPoint'>, context: Context): void {
  const { bucketCounts = [], explicitBounds = [], count = 0, sum } = point;
  if (bucketCounts.length > 0 && bucketCounts.length !== explicitBounds.length + 1) {
    context.refusals.add('a histogram must have one bucket more than bounds');
    return;
  }
  const place = placeOf(point, context);
  if (place === undefined) return;
  const { atMs, labels, stale } = place;
  const { name, records } = context;
  const valued = (value: number) => (stale ? ended : { value });
  const exemplars = exemplarsOf(point.exemplars);
  let below = 0;
  let floor = Number.NEGATIVE_INFINITY;
  explicitBounds.forEach((bound, index) => {
    below += bucketCounts[index] ?? 0;
    const lower = floor;
    const exemplar = exemplars.find(({ value }) => value > lower && value <= bound);
    records.push({
      ...{ name: `${name}_bucket`, labels: { ...labels, le: String(bound) }, atMs },
      ...valued(below),
      ...(exemplar && !stale ? { exemplar } : {}),
    });
    floor = bound;
  });
  const last = exemplars.find(({ value }) => value > floor);
  records.push({
    ...{ name: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, atMs, ...valued(count) },
    ...(last && !stale ? { exemplar: last } : {}),
  });
  records.push({ name: `${name}_count`, labels, atMs, ...valued(count) });
  if (sum !== undefined) records.push({ name: `${name}_sum`, labels, atMs, ...valued(sum) });
}

function addSummary(point: Decoded<'SummaryPoint'>, context: Context): void {
  const place = placeOf(point, context);
  if (place === undefined) return;
  const { atMs, labels, stale } = place;
  const { name, records } = context;
  const valued = (value: number) => (stale ? ended : { value });
  for (const { quantile = 0, value = 0 } of point.quantileValues ?? []) {
    const quantiled = { ...labels, quantile: String(quantile) };
    records.push({ name, labels: quantiled, atMs, ...valued(value) });
  }
  records.push({ name: `${name}_count`, labels, atMs, ...valued(point.count ?? 0) });
  records.push({ name: `${name}_sum`, labels, atMs, ...valued(point.sum ?? 0) });
}

function exemplarsOf(exemplars: readonly Decoded<'Exemplar'>[] = []) {
  return exemplars.flatMap(({ traceId, asDouble, asInt, timeUnixNano = 0 }) =>
    isTraceId(traceId)
      ? [{ traceId, value: asDouble ?? asInt ?? 0, atMs: Math.floor(timeUnixNano / 1_000) }]
      : [],
  );
}

function labelsOf(attributes: Attributes = {}): Labels {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      labelName(key),
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

function targetLabels(resource: Decoded<'Resource'> | undefined): Labels {
  const { service, instance } = originOf(resource);
  const namespace = resource?.attributes?.['service.namespace'];
  const job = namespace === undefined ? service : `${namespace}/${service}`;
  return instance === '' ? { job, service } : { job, service, instance };
}

function targetInfo(
  resource: Decoded<'Resource'> | undefined,
  labels: Labels,
  atMs: number,
): Sample {
  const { attributes = {} } = resource ?? {};
  const others = Object.entries(attributes).filter(([key]) => !identifying.has(key));
  return {
    name: 'target_info',
    labels: { ...labelsOf(Object.fromEntries(others)), ...labels },
    atMs,
    value: 1,
  };
}

const identifying = new Set(['service.name', 'service.namespace', 'service.instance.id']);
