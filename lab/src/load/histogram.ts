// Latencies, to three digits, in the memory of one small table.

import { build, type Histogram } from 'hdr-histogram-js';

export type Percentiles = { p50: number; p95: number; p99: number; max: number };

const microsecondsMax = 600_000_000;

export class LatencyHistogram {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: microsecondsMax,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(latencyMs: number): void {
    const microseconds = Math.round(latencyMs * 1_000);
    this.#histogram.recordValue(Math.min(Math.max(microseconds, 1), microsecondsMax));
  }

  /** Milliseconds below which so many percent of the latencies lie; 0 when there are none. */
  percentileMs(percent: number): number {
    if (this.count === 0) return 0;
    return this.#histogram.getValueAtPercentile(percent) / 1_000;
  }

  percentiles(): Percentiles {
    const rounded = (percent: number): number => Math.round(this.percentileMs(percent) * 10) / 10;
    return { p50: rounded(50), p95: rounded(95), p99: rounded(99), max: rounded(100) };
  }
}
