// The quantile of a histogram that is kept as cumulative buckets.

export type Bucket = { upperBound: number; count: number };

/**
 * The value below which a share q of what was observed lies, linear within its bucket: Prometheus
 * 2.42, promql/quantile.go, bucketQuantile. NaN without observations, without a bucket +Inf or with
 * that bucket alone; ±Infinity for q outside of 0 to 1. In the bucket +Inf it is the highest bound
 * below; in the first bucket it counts from 0, or is its bound where that is not positive.
 */
export function histogramQuantile(q: number, given: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const buckets = cumulated(given);
  const last = buckets.at(-1);
  if (last?.upperBound !== Number.POSITIVE_INFINITY || buckets.length < 2) return Number.NaN;
  if (last.count === 0) return Number.NaN;
  const rank = q * last.count;
  const found = firstReaching(buckets, rank);
  const bucket = buckets[found];
  const below = buckets[found - 1];
  if (bucket === undefined || bucket === last) {
    return buckets.at(-2)?.upperBound ?? Number.NaN;
  }
  if (below === undefined) {
    return bucket.upperBound <= 0 ? bucket.upperBound : bucket.upperBound * (rank / bucket.count);
  }
  const share = (rank - below.count) / (bucket.count - below.count);
  return below.upperBound + (bucket.upperBound - below.upperBound) * share;
}

/** Sorted by bound; equal bounds are added up, and a count never falls (scrapes are not atomic). */
function cumulated(given: readonly Bucket[]): Bucket[] {
  const buckets: Bucket[] = [];
  for (const bucket of [...given].sort((a, b) => a.upperBound - b.upperBound)) {
    const before = buckets.at(-1);
    if (before?.upperBound === bucket.upperBound) before.count += bucket.count;
    else buckets.push({ ...bucket });
  }
  let most = Number.NEGATIVE_INFINITY;
  for (const [index, bucket] of buckets.entries()) {
    if (index === 0 || bucket.count > most) most = bucket.count;
    else if (bucket.count < most) bucket.count = most;
  }
  return buckets;
}

/** Binary search, as there: with counts that are NaN the way decides. Never the last bucket's check. */
function firstReaching(buckets: readonly Bucket[], rank: number): number {
  let [low, high] = [0, buckets.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((buckets[middle]?.count ?? Number.NaN) >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}
