// The few statistics that reading needs, over plain arrays.

/**
 * The value below which this share of the values lies, interpolated between neighbours (type 7 of
 * Hyndman and Fan 1996, as spreadsheets and NumPy have it).
 *
 * @param sorted ascending
 * @param share from 0 to 1
 * @returns NaN when there are no values
 */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? Number.NaN;
  return low === high ? low : low + (high - low) * (rank - Math.floor(rank));
}

export function medianOf(values: ArrayLike<number>): number {
  return quantileOf(Float64Array.from(values).sort(), 0.5);
}

/** What makes the median absolute deviation of a normal distribution its standard deviation. */
const madOfNormal = 1.4826;

/** A spread that a few wild values do not move: 1.4826 × the median absolute deviation. */
export function spreadOf(values: ArrayLike<number>, median = medianOf(values)): number {
  return madOfNormal * medianOf(Array.from(values, (value) => Math.abs(value - median)));
}

/** Seconds, or anything else, by its usual percentiles; null where there are no values. */
export type Percentiles = { p50: number; p95: number; p99: number };

export function percentilesOf(values: readonly number[]): Percentiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return {
    p50: quantileOf(sorted, 0.5),
    p95: quantileOf(sorted, 0.95),
    p99: quantileOf(sorted, 0.99),
  };
}

/** A number as people read it: three significant digits, and no more zeros than needed. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
