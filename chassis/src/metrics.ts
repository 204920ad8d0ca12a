// Metrics behind a typed face: a name or a label that is not in the contracts' table does not
// compile, and a series that would be the thousandth of its metric is counted as "other".

import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  type Metric,
  Registry,
} from '@prometheus-io/client';
import {
  type MetricLabels,
  type MetricName,
  type MetricSpec,
  metrics as table,
} from '@rushlight/contracts';
import { realEnvironment } from './environment.ts';
import { Histogram, type Series } from './histogram.ts';
import { type Exposition, exposeOpenMetrics, wantsOpenMetrics } from './open-metrics.ts';
import { within } from './within.ts';

const seriesMax = 1_000;

type Of<Kind> = {
  [N in MetricName]: (typeof table)[N]['kind'] extends Kind ? N : never;
}[MetricName];

export interface Metrics {
  count<N extends Of<'counter'>>(name: N, labels: MetricLabels<N>, by?: number): void;
  set<N extends Of<'gauge'>>(name: N, labels: MetricLabels<N>, value: number): void;
  observe<N extends Of<'histogram'>>(name: N, labels: MetricLabels<N>, value: number): void;
  /** The series with these labels, for whoever observes it all the time. */
  series<N extends Of<'histogram'>>(name: N, labels: MetricLabels<N>): Series;
  /** Runs before each scrape, to read what is only known by asking. */
  onScrape(read: () => Promise<void> | void): void;
  /** What a scrape reads: Prometheus text, or OpenMetrics where the header asks for it. */
  expose(accept?: string): Promise<Exposition>;
}

/** A neighbour that does not answer makes its own figures old, and not the others late. */
const readMsMax = 1_000;

type Recorder = Counter<string> | Gauge<string> | Histogram;

export function createMetrics(labels: { service: string; instance: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  const recorders = new Map<MetricName, Recorder>();
  const series = new Map<MetricName, Set<string>>();
  const readers: (() => Promise<void> | void)[] = [];

  const recorder = (name: MetricName): Recorder => {
    const known = recorders.get(name);
    if (known) return known;
    const made = makeRecorder(name, registry);
    recorders.set(name, made);
    return made;
  };
  const keyOf = (name: MetricName, given: Record<string, string>): string => {
    let key = '';
    for (const label of table[name].labels) key += `${given[label]}\u0000`;
    return key;
  };
  /** The labels as they are given, or all "other" when the metric has too many series without. */
  const bounded = <L extends Record<string, string>>(name: MetricName, given: L): L => {
    const seen = series.get(name) ?? new Set();
    series.set(name, seen);
    const key = keyOf(name, given);
    if (seen.has(key)) return given;
    if (seen.size < seriesMax) {
      seen.add(key);
      return given;
    }
    return Object.fromEntries(Object.keys(given).map((label) => [label, 'other'])) as L;
  };
  const seriesOf = (name: MetricName, given: Record<string, string>): Series => {
    const labels = bounded(name, given);
    return (recorder(name) as Histogram).series(keyOf(name, labels), labels);
  };

  return {
    count: (name, given, by = 1) => {
      (recorder(name) as Counter<string>).inc(bounded(name, given), by);
    },
    set: (name, given, value) => {
      (recorder(name) as Gauge<string>).set(bounded(name, given), value);
    },
    observe: (name, given, value) => {
      seriesOf(name, given).observe(value);
    },
    series: seriesOf,
    onScrape: (read) => {
      readers.push(read);
    },
    expose: async (accept) => {
      const read = Promise.allSettled(readers.map(async (one) => one()));
      await within(realEnvironment, readMsMax, read);
      if (wantsOpenMetrics(accept)) return exposeOpenMetrics(registry, labels);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function makeRecorder(name: MetricName, registry: Registry): Recorder {
  const spec: MetricSpec = table[name];
  const options = { name, help: spec.help, labelNames: [...spec.labels], registers: [registry] };
  switch (spec.kind) {
    case 'counter':
      return new Counter(options);
    case 'gauge':
      return new Gauge(options);
    case 'histogram': {
      const histogram = new Histogram({ name, help: spec.help, buckets: spec.buckets ?? [] });
      // The registry asks of a metric only what ours has.
      registry.registerMetric(histogram as unknown as Metric);
      return histogram;
    }
  }
}
