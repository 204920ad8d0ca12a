// Metrics behind a typed face: a name or a label that is not in the contracts' table does not
// compile, and a series that would be the thousandth of its metric is counted as "other".

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import {
  type MetricLabels,
  type MetricName,
  type MetricSpec,
  metrics as table,
} from '@rushlight/contracts';

const seriesMax = 1_000;

type Of<Kind> = {
  [N in MetricName]: (typeof table)[N]['kind'] extends Kind ? N : never;
}[MetricName];

export interface Metrics {
  count<N extends Of<'counter'>>(name: N, labels: MetricLabels<N>, by?: number): void;
  set<N extends Of<'gauge'>>(name: N, labels: MetricLabels<N>, value: number): void;
  observe<N extends Of<'histogram'>>(name: N, labels: MetricLabels<N>, value: number): void;
  /** Runs before each scrape, to read what is only known by asking. */
  onScrape(read: () => Promise<void> | void): void;
  /** The Prometheus text exposition. */
  expose(): Promise<{ contentType: string; text: string }>;
}

type Recorder = Counter<string> | Gauge<string> | Histogram<string>;

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
  const bounded = (name: MetricName, given: Record<string, string>): Record<string, string> => {
    const seen = series.get(name) ?? new Set();
    series.set(name, seen);
    const key = Object.values(given).join('\u0000');
    if (seen.has(key)) return given;
    if (seen.size < seriesMax) {
      seen.add(key);
      return given;
    }
    return Object.fromEntries(Object.keys(given).map((label) => [label, 'other']));
  };

  return {
    count: (name, given, by = 1) => {
      (recorder(name) as Counter<string>).inc(bounded(name, given), by);
    },
    set: (name, given, value) => {
      (recorder(name) as Gauge<string>).set(bounded(name, given), value);
    },
    observe: (name, given, value) => {
      (recorder(name) as Histogram<string>).observe(bounded(name, given), value);
    },
    onScrape: (read) => {
      readers.push(read);
    },
    expose: async () => {
      await Promise.allSettled(readers.map((read) => read()));
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
    case 'histogram':
      return new Histogram({ ...options, buckets: [...(spec.buckets ?? [])] });
  }
}
