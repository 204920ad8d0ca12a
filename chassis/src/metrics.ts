// Metrics behind a typed face: a name, a label or a listed value that is not in the contracts' table
// does not compile.
//
// M1. A process exposes every metric that the table says of its service from its start on, and
//     counters whose labels are lists stand at 0: their first event is an increase.
// M2. Every series says of which service and instance it is, and nothing else of its process.
// M3. A series that would be the thousandth of its metric is counted as "other".

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
  runtimeMetrics,
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
  /** The series with these labels, for whoever counts all the time: to count is to add. */
  counter<N extends Of<'counter'>>(name: N, labels: MetricLabels<N>): Counting;
  /** The series with these labels, for whoever observes it all the time. */
  series<N extends Of<'histogram'>>(name: N, labels: MetricLabels<N>): Series;
  /** Runs before each scrape, to read what is only known by asking. */
  onScrape(read: () => Promise<void> | void): void;
  /** What a scrape reads: Prometheus text, or OpenMetrics where the header asks for it. */
  expose(accept?: string): Promise<Exposition>;
}

export type Counting = {
  inc(by?: number): void;
};

/** A neighbour that does not answer makes its own figures old, and not the others late. */
const readMsMax = 1_000;

type Given = Readonly<Record<string, string>>;
type Recorder = Counter<string> | Gauge<string> | Histogram;

/** @param origin who speaks; of it only these two stand on every series */
export function createMetrics(origin: { service: string; instance: string }): Metrics {
  const labels = { service: origin.service, instance: origin.instance };
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectRuntime(registry);
  const recorders = new Map<MetricName, Recorder>();
  const series = new Map<MetricName, Set<string>>();
  const readers: (() => Promise<void> | void)[] = [];
  const held: HeldCount[] = [];

  const recorder = (name: MetricName): Recorder => {
    const known = recorders.get(name);
    if (known) return known;
    const made = makeRecorder(name, registry);
    recorders.set(name, made);
    return made;
  };
  const keyOf = (name: MetricName, given: Given): string => {
    let key = '';
    for (const label of Object.keys(table[name].labels)) key += `${given[label]}\u0000`;
    return key;
  };
  /** The labels as they are given, or all "other" when the metric has too many series without. */
  const bounded = (name: MetricName, given: Given): Given => {
    const seen = series.get(name) ?? new Set();
    series.set(name, seen);
    const key = keyOf(name, given);
    if (seen.has(key)) return given;
    if (seen.size < seriesMax) {
      seen.add(key);
      return given;
    }
    return Object.fromEntries(Object.keys(given).map((label) => [label, 'other']));
  };
  const seriesOf = (name: MetricName, given: object): Series => {
    const labels = bounded(name, given as Given);
    return (recorder(name) as Histogram).series(keyOf(name, labels), labels);
  };

  const count = (name: MetricName, given: object, by: number): void => {
    (recorder(name) as Counter<string>).inc(bounded(name, given as Given), by);
  };
  for (const [name, spec] of ownMetrics(labels.service)) {
    recorder(name);
    if (spec.kind !== 'counter') continue;
    for (const given of listedSeries(spec)) count(name, given, 0);
  }
  const setUptime = (): void =>
    (recorder('process_uptime_seconds') as Gauge<string>).set(process.uptime());
  readers.push(setUptime);

  return {
    count: (name, given, by = 1) => {
      // Of a batch most kinds are none: to find their series would cost more than the batch's own.
      if (by !== 0) count(name, given, by);
    },
    counter: (name, given) => {
      const one = new HeldCount((by) => count(name, given, by));
      held.push(one);
      return one;
    },
    set: (name, given, value) => {
      (recorder(name) as Gauge<string>).set(bounded(name, given as Given), value);
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
      for (const one of held) one.handOver();
      if (wantsOpenMetrics(accept)) return exposeOpenMetrics(registry, labels);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** Adds up, and is found by its labels only when somebody reads. */
class HeldCount implements Counting {
  readonly #count: (by: number) => void;
  #counted = 0;

  constructor(count: (by: number) => void) {
    this.#count = count;
  }

  inc(by = 1): void {
    this.#counted += by;
  }

  handOver(): void {
    this.#count(this.#counted);
    this.#counted = 0;
  }
}

/** What the client library knows of the process, as far as it stands in the contracts. */
function collectRuntime(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (!Object.hasOwn(runtimeMetrics, name)) registry.removeSingleMetric(name);
  }
}

function ownMetrics(service: string): [MetricName, MetricSpec][] {
  const all = Object.entries<MetricSpec>(table) as [MetricName, MetricSpec][];
  return all.filter(([, { of }]) => (of as readonly string[]).includes(service));
}

/** Every combination of listed values; none where a label is not a list. */
function listedSeries({ labels }: MetricSpec): Record<string, string>[] {
  let made: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    const listed = typeof values === 'string' ? [] : values;
    made = made.flatMap((one) => listed.map((value) => ({ ...one, [label]: value })));
  }
  return made;
}

function makeRecorder(name: MetricName, registry: Registry): Recorder {
  const spec: MetricSpec = table[name];
  const labelNames = Object.keys(spec.labels);
  const options = { name, help: spec.help, labelNames, registers: [registry] };
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
