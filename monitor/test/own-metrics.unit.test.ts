import { metricsUnderTest } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import { countedIntake, countRequests, countScrapes, watchStore } from '../src/own-metrics.ts';
import type { StoreState } from '../src/store/face.ts';

const nothing = { spans: 0, logs: 0, samples: 0 };
const stateOf = (given: Partial<StoreState>): StoreState => ({
  ...{ status: 'open', written: nothing, dropped: nothing, waiting: 0, waitingBytes: 0 },
  ...{ fileBytes: 0, series: 0, seriesRefused: 0, seriesRefusedOf: [] },
  ...given,
});

test('what the store has counted is told, each of it once', async () => {
  const { metrics, sum } = metricsUnderTest('monitor');
  let state = stateOf({});
  watchStore({ state: () => state }, metrics);
  const figures = async () => [
    await sum('monitor_records_written_total', { signal: 'spans' }),
    await sum('monitor_records_dropped_total', { signal: 'logs' }),
    await sum('monitor_records_refused_total', { signal: 'samples', reason: 'store_series' }),
  ];
  expect(await figures()).toEqual([0, 0, 0]);
  state = stateOf({
    written: { ...nothing, spans: 500 },
    dropped: { ...nothing, logs: 7 },
    ...{ seriesRefused: 3, waiting: 12, fileBytes: 4_096, series: 40 },
  });
  expect(await figures()).toEqual([500, 7, 3]);
  state = { ...state, status: 'broken', written: { ...nothing, spans: 501 } };
  expect(await figures()).toEqual([501, 7, 3]);
  expect(await sum('monitor_records_waiting')).toBe(12);
  expect(await sum('monitor_store_bytes')).toBe(4_096);
  expect(await sum('monitor_series')).toBe(40);
  expect(await sum('monitor_store_up')).toBe(0);
});

test('what goes in is counted by where it comes from, and goes in', async () => {
  const { metrics, sum } = metricsUnderTest('monitor');
  const passed: unknown[] = [];
  const pass = (records: readonly unknown[]): void => void passed.push(...records);
  const intake = { spans: pass, logs: pass, samples: pass };
  const sample = { name: 'up', labels: {}, atMs: 1, value: 1 };
  countedIntake(intake, metrics, 'scrape').samples([sample, sample]);
  countedIntake(intake, metrics, 'rules').samples([sample]);
  expect(passed).toEqual([sample, sample, sample]);
  const taken = (source: string) =>
    sum('monitor_records_taken_total', { signal: 'samples', source });
  expect([await taken('scrape'), await taken('rules'), await taken('otlp')]).toEqual([2, 1, 0]);
});

test('requests and scrapes are counted with what was refused of them', async () => {
  const { metrics, sum } = metricsUnderTest('monitor');
  countRequests(metrics)?.('spans', 'taken', 4);
  countRequests(metrics)?.('spans', 'too_large', 0);
  countScrapes(metrics)?.('up', 9);
  countScrapes(metrics)?.('down', 0);
  const requests = { signal: 'spans', result: 'too_large' };
  expect(await sum('monitor_otlp_requests_total', requests)).toBe(1);
  expect(await sum('monitor_scrapes_total', { result: 'down' })).toBe(1);
  const refused = (reason: string) => sum('monitor_records_refused_total', { reason });
  expect([await refused('malformed'), await refused('target_series')]).toEqual([4, 9]);
});
