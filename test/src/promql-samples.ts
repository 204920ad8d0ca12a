// Samples for comparing evaluators of PromQL: counters that reset, gauges, histograms, series that
// come, go and have gaps; NaN and Infinity. The same for the same dice.

import type { ReferenceSeries } from './prometheus.ts';

export const samplesFromMs = 1_700_000_000_000;
/** Of the samples; within one block of Prometheus' store. */
export const samplesForMs = 40 * 60_000;

const scrapeMs = 15_000;
const bounds = ['0.1', '0.5', '1', '2.5', '+Inf'] as const;

type Dice = () => number;

export function promqlSamples(dice: Dice): ReferenceSeries[] {
  const series: ReferenceSeries[] = [];
  const add = (name: string, labels: Record<string, string>, next: () => number): void => {
    series.push({ labels: { __name__: name, ...labels }, samples: scraped(dice, next) });
  };
  for (const service of ['gateway', 'orders', 'kitchen']) {
    for (const status of ['200', '404', '500']) {
      add('requests_total', { service, status }, counter(dice, 12));
    }
    for (const instance of ['a', 'b']) {
      add('queue_depth', { service, instance }, gauge(dice, -40, 80));
      add('up', { service, instance }, () => (dice() < 0.1 ? 0 : 1));
      add('temperature', { service, instance }, distinctGauge(dice, series.length));
    }
    for (const code of ['200', '500']) histogram(dice, { service, code }, series);
    add('info', { service, version: `1.${series.length}` }, () => 1);
  }
  add('plain', {}, gauge(dice, 0, 10));
  add('strange', { kind: 'nan' }, () => (dice() < 0.3 ? Number.NaN : Math.floor(dice() * 9)));
  add('strange', { kind: 'infinite' }, () => (dice() < 0.3 ? Infinity : Math.floor(dice() * 9)));
  add('strange', { kind: 'negative' }, () => (dice() < 0.3 ? -Infinity : -Math.floor(dice() * 9)));
  return series;
}

/** At quarters of a second, not quite even; some scrapes fail, some targets are away for long. */
function scraped(dice: Dice, next: () => number): [number, number][] {
  const isPart = dice() < 0.25;
  const bornMs = isPart ? Math.floor(dice() * 15) * 60_000 : 0;
  const goneMs = isPart && dice() < 0.5 ? 25 * 60_000 : samplesForMs;
  const awayMs = dice() < 0.3 ? 12 * 60_000 : samplesForMs;
  const samples: [number, number][] = [];
  for (let atMs = 0; atMs < samplesForMs; atMs += scrapeMs) {
    const value = next();
    const shiftMs = dice() < 0.5 ? 0 : Math.floor(dice() * 8) * 250;
    const isAway = atMs >= awayMs && atMs < awayMs + 7 * 60_000;
    if (atMs < bornMs || atMs >= goneMs || isAway || dice() < 0.03) continue;
    samples.push([samplesFromMs + atMs + shiftMs, value]);
  }
  return samples;
}

function counter(dice: Dice, stepMax: number): () => number {
  let value = Math.floor(dice() * 100);
  return () => {
    value = dice() < 0.02 ? Math.floor(dice() * 3) : value + Math.floor(dice() * stepMax);
    return value;
  };
}

/** Quarters: sums of them are exact, in whatever order. */
function gauge(dice: Dice, low: number, high: number): () => number {
  return () => low + Math.floor(dice() * (high - low) * 4) / 4;
}

/** No two series ever have the same value, so that a ranking has no ties. */
function distinctGauge(dice: Dice, place: number): () => number {
  return () => Math.floor(dice() * 50) + place / 128;
}

function histogram(dice: Dice, labels: Record<string, string>, series: ReferenceSeries[]): void {
  const counts = bounds.map(() => 0);
  const buckets = bounds.map((): [number, number][] => []);
  const observed: [number, number][] = [];
  for (const [atMs] of scraped(dice, () => 0)) {
    if (dice() < 0.02) counts.fill(0);
    for (const [index] of counts.entries()) {
      if (dice() < 0.6) counts[index] = (counts[index] ?? 0) + Math.floor(dice() * 6);
    }
    let sum = 0;
    for (const [index, bucket] of buckets.entries()) {
      sum += counts[index] ?? 0;
      bucket.push([atMs, sum]);
    }
    observed.push([atMs, sum]);
  }
  for (const [index, le] of bounds.entries()) {
    const bucketLabels = { __name__: 'latency_seconds_bucket', ...labels, le };
    series.push({ labels: bucketLabels, samples: buckets[index] ?? [] });
  }
  series.push({ labels: { __name__: 'latency_seconds_count', ...labels }, samples: observed });
}
