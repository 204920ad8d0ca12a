// Sums, means and quantiles with the rounding of Prometheus 2.42.

/** A sum with its compensation (Neumaier): `sum + rest` is what was added. */
export type CompensatedSum = { sum: number; rest: number };

export function add(to: CompensatedSum, increment: number): void {
  const total = to.sum + increment;
  to.rest +=
    Math.abs(to.sum) >= Math.abs(increment)
      ? to.sum - total + increment
      : increment - total + to.sum;
  to.sum = total;
}

export function settled({ sum, rest }: CompensatedSum): number {
  return Math.abs(sum) === Number.POSITIVE_INFINITY ? sum : sum + rest;
}

/** An infinite mean stays what it is, unless NaN or the other infinity comes. */
export function staysInfinite(mean: number, next: number): boolean {
  if (Math.abs(mean) !== Number.POSITIVE_INFINITY || Number.isNaN(next)) return false;
  return Math.abs(next) !== Number.POSITIVE_INFINITY || mean > 0 === next > 0;
}

/** The q-quantile, linear between neighbours; NaN counts as smallest. Sorts the values. */
export function quantile(q: number, values: number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  values.sort(ascending);
  const rank = q * (values.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - lower;
  return (values[lower] ?? Number.NaN) * (1 - weight) + (values[upper] ?? Number.NaN) * weight;
}

/** NaN first. */
export function ascending(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1;
  if (Number.isNaN(b)) return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
