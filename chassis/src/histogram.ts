// A histogram whose series can be held on to, for the paths where finding the series would cost more
// than counting. It stands in the registry like any other metric.
//
// H1. What a scrape reads is what the registry's own histogram would say: buckets that add up to the
//     count, by upper bound, then the sum and the count.
// H2. Each bucket has the newest example of a kept trace; only OpenMetrics has a place for it.

import assert from 'node:assert/strict';
import { realEnvironment } from './environment.ts';

type Labels = Readonly<Record<string, string>>;

export type Series = {
  /** @param traceId of a kept trace in which this value was seen */
  observe(value: number, traceId?: string): void;
};

/** An observation that can be looked at, as OpenMetrics has it. `timestamp` is in seconds. */
type Exemplar = { labelSet: { trace_id: string }; value: number; timestamp: number };
type Exported = {
  labels: Record<string, string | number>;
  value: number;
  metricName: string;
  exemplar?: Exemplar;
};

class CountedSeries implements Series {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** Values at most this bound and above the one before; the last place is for those above all. */
  readonly #counts: Float64Array;
  /** The newest of each place. */
  readonly #exemplars: (Exemplar | undefined)[] = [];
  #sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number, traceId?: string): void {
    assert(Number.isFinite(value), `${value} is no value of a histogram`);
    const bounds = this.#bounds;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] as number)) place++;
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#sum += value;
    if (traceId === undefined) return;
    const timestamp = realEnvironment.nowMs() / 1_000;
    this.#exemplars[place] = { labelSet: { trace_id: traceId }, value, timestamp };
  }

  export(name: string): Exported[] {
    const { labels } = this;
    let count = 0;
    const buckets = [...this.#counts].map((counted, place) => {
      count += counted;
      const le = this.#bounds[place] ?? '+Inf';
      const exemplar = this.#exemplars[place];
      const bucket = { labels: { le, ...labels }, value: count, metricName: `${name}_bucket` };
      return exemplar ? { ...bucket, exemplar } : bucket;
    });
    return [
      ...buckets,
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ];
  }
}

export class Histogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, CountedSeries>();

  constructor(spec: { name: string; help: string; buckets: readonly number[] }) {
    this.name = spec.name;
    this.help = spec.help;
    this.#bounds = spec.buckets;
  }

  /** The series with these labels, made when there is none. @param key equal for equal labels */
  series(key: string, labels: Labels): Series {
    const known = this.#series.get(key);
    if (known) return known;
    const made = new CountedSeries(labels, this.#bounds);
    this.#series.set(key, made);
    return made;
  }

  /** Asked by the registry. */
  async get() {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series.values()].flatMap((one) => one.export(name));
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    this.#series.clear();
  }
}
