import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import type { LogRecord, Span } from '../src/model.ts';
import {
  logRecord,
  noonMs,
  noonUs,
  openStore,
  rememberingLog,
  sample,
  span,
  spanIdOf,
  temporaryFolder,
  traceOf,
} from './store-under-test.ts';

const day = { fromUs: noonUs - 43_200_000_000, toUs: noonUs + 43_200_000_000 };

test('a span comes back as it went in, also after the store was closed', async () => {
  using folder = temporaryFolder();
  const full: Span = span({
    parentSpanId: spanIdOf(9),
    kind: 'producer',
    status: 'error',
    statusMessage: 'it’s “broken” 🍲',
    attributes: { 'http.route': '/orders', count: 3, ratio: 0.5, ok: true, tags: ['a', 1, false] },
    events: [{ atUs: noonUs + 5, name: 'exception', attributes: { 'exception.type': 'Error' } }],
    links: [{ traceId: traceOf(7), spanId: spanIdOf(8), attributes: { kind: 'batch' } }],
  });
  {
    await using store = await openStore(folder.path);
    store.intake.spans([full, span({ spanId: spanIdOf(2), startUs: noonUs + 1 })]);
    await store.flush();
    expect((await store.reads.spansOfTrace(full.traceId))[0]).toEqual(full);
  }
  await using again = await openStore(folder.path);
  expect(await again.reads.spansOfTrace(full.traceId)).toEqual([
    full,
    span({ spanId: spanIdOf(2), startUs: noonUs + 1 }),
  ]);
});

test('lines come back by service, level, text and trace, in the order that is asked for', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  const lines: LogRecord[] = [
    logRecord({ atUs: noonUs, message: 'one', line: 'One pot', traceId: traceOf(5) }),
    logRecord({ atUs: noonUs + 1, level: 'warn', line: 'two pots', attributes: { a: 1 } }),
    logRecord({ atUs: noonUs + 2, level: 'error', service: 'kitchen', line: 'no POT' }),
  ];
  store.intake.logs(lines);
  await store.flush();
  const find = async (given: object): Promise<string[]> =>
    (await store.reads.searchLogs({ ...day, limit: 10, newestFirst: false, ...given })).map(
      ({ line }) => line,
    );
  expect(await store.reads.searchLogs({ ...day, limit: 10, newestFirst: false })).toEqual(lines);
  expect(await find({ levelMin: 'warn' })).toEqual(['two pots', 'no POT']);
  expect(await find({ service: 'kitchen' })).toEqual(['no POT']);
  expect(await find({ text: 'pot', limit: 2, newestFirst: true })).toEqual(['no POT', 'two pots']);
  expect(await find({ traceId: traceOf(5) })).toEqual(['One pot']);
  expect(await find({ text: '%' })).toEqual([]);
});

test('a JSON line that was kept without attributes gives its own', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  const line = '{"level":"info","time":"2026","msg":"placed","durationMs":12,"order":{"id":"x"}}';
  store.intake.logs([logRecord({ line })]);
  await store.flush();
  const [found] = await store.reads.searchLogs({ ...day, limit: 1, newestFirst: true });
  expect(found?.attributes).toEqual({ durationMs: 12, order: '{"id":"x"}' });
});

test('lines are found by matchers and words, as LogQL asks', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  store.intake.logs([
    logRecord({ service: 'orders', line: 'took 5 ms' }),
    logRecord({ service: 'orders', level: 'error', line: 'took 9 ms: refused' }),
    logRecord({ service: 'kitchen', line: 'took 1 ms' }),
  ]);
  await store.flush();
  const range = { fromMs: noonMs, toMs: noonMs };
  const find = async (query: object): Promise<string[]> =>
    (await store.logs.select({ matchers: [], range, limit: 9, newestFirst: false, ...query })).map(
      ({ line }) => line,
    );
  expect(await find({ matchers: [{ label: 'service', operator: '=~', value: 'ord.*' }] })).toEqual([
    'took 5 ms',
    'took 9 ms: refused',
  ]);
  expect(await find({ matchers: [{ label: 'level', operator: '!=', value: 'info' }] })).toEqual([
    'took 9 ms: refused',
  ]);
  expect(await find({ matchers: [{ label: 'pod', operator: '=', value: '' }], limit: 1 })).toEqual([
    'took 5 ms',
  ]);
  expect(await find({ contains: ['took'], lacks: ['refused', ' 1 '] })).toEqual(['took 5 ms']);
});

test('series are selected by name, labels and patterns; an absent label is an empty one', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  store.intake.samples([
    sample({ name: 'requests_total', labels: { job: 'orders', route: '/a' }, value: 1 }),
    sample({
      name: 'requests_total',
      labels: { job: 'orders', route: '/a' },
      atMs: noonMs + 5,
      value: 3,
    }),
    sample({ name: 'requests_total', labels: { job: 'kitchen', 'we"ird': 'x' }, value: 7 }),
    sample({ name: 'up', labels: { job: 'orders' }, value: Number.NaN }),
  ]);
  await store.flush();
  const range = { fromMs: noonMs, toMs: noonMs + 5 };
  const named = { label: '__name__', operator: '=', value: 'requests_total' } as const;
  const found = await store.series.select([named], range);
  expect(found).toEqual([
    {
      labels: { __name__: 'requests_total', job: 'orders', route: '/a' },
      atMs: Float64Array.of(noonMs, noonMs + 5),
      values: Float64Array.of(1, 3),
    },
    {
      labels: { __name__: 'requests_total', job: 'kitchen', 'we"ird': 'x' },
      atMs: Float64Array.of(noonMs),
      values: Float64Array.of(7),
    },
  ]);
  const labels = async (...matchers: [string, '=' | '!=' | '=~' | '!~', string][]) =>
    (
      await store.series.labelSets(
        matchers.map(([label, operator, value]) => ({ label, operator, value })),
        range,
      )
    ).map((set) => `${set['__name__']} ${set['job']}`);
  expect(await labels(['route', '=', ''])).toEqual(['requests_total kitchen', 'up orders']);
  expect(await labels(['job', '=~', 'ord.+'], ['__name__', '!~', 'up'])).toEqual([
    'requests_total orders',
  ]);
  expect(await labels(['job', '=~', 'ord'])).toEqual([]);
  expect(await labels(['we"ird', '=', 'x'])).toEqual(['requests_total kitchen']);
  expect(await store.series.select([named], { fromMs: noonMs + 6, toMs: noonMs + 9 })).toEqual([]);
  const [up] = await store.series.select([{ ...named, value: 'up' }], range);
  expect(up?.values).toEqual(Float64Array.of(Number.NaN));
});

test('a stale sample ends its series there, and of two samples at an instant the later counts', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  store.intake.samples([
    sample({ value: 1 }),
    sample({ value: 2 }),
    sample({ atMs: noonMs + 10, value: Number.NaN, stale: true }),
    sample({ atMs: noonMs + 20, value: 3 }),
  ]);
  await store.flush();
  const found = await store.series.select([], { fromMs: 0, toMs: noonMs + 20 });
  expect(found).toEqual([
    {
      labels: { __name__: 'up' },
      atMs: Float64Array.of(noonMs, noonMs + 20),
      values: Float64Array.of(2, 3),
      endedAtMs: Float64Array.of(noonMs + 10),
    },
  ]);
});

test('a series too many is refused and counted, the known ones go on', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path, { seriesMax: 2 });
  store.intake.samples(['a', 'b', 'c', 'a'].map((job) => sample({ labels: { job } })));
  await store.flush();
  expect(store.state()).toMatchObject({ series: 2, seriesRefused: 1, written: { samples: 3 } });
});

test('a service has a fifth of all series, and the shop has a fifth for itself', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path, { seriesMax: 10 });
  const put = async (service: string, count: number, from = 0): Promise<number> => {
    const before = store.state().series;
    const labels = (k: number) => ({ service, path: `/${from + k}` });
    store.intake.samples(Array.from({ length: count }, (_, k) => sample({ labels: labels(k) })));
    await store.flush();
    return store.state().series - before;
  };
  expect(await put('bakery', 9)).toBe(2);
  expect(store.state()).toMatchObject({ seriesRefused: 7, seriesRefusedOf: ['bakery'] });
  expect(await put('bakery', 2)).toBe(0);
  expect(store.state().seriesRefused).toBe(7);
  expect(await put('cafe', 1)).toBe(1);
  for (const service of ['a', 'b']) expect(await put(service, 3)).toBe(2);
  expect([await put('c', 1), await put('d', 1)]).toEqual([1, 0]);
  expect(await put('gateway', 5)).toBe(2);
});

test('a series with endless labels is refused and counted, as is a trace that is none', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  const exemplar = { traceId: 'endless'.repeat(1_000), value: 1, atMs: noonMs };
  store.intake.samples([
    sample({ labels: { path: '/'.repeat(100_000) } }),
    sample({ labels: { path: '/' }, exemplar }),
  ]);
  await store.flush();
  expect(store.state()).toMatchObject({ series: 1, seriesRefused: 1, written: { samples: 1 } });
  expect(await store.rows('FROM exemplars')).toEqual([]);
});

test('what does not fit pushes out the oldest that waits, counted by kind', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path, {
    bufferRecordsMax: 1_000,
    flushEveryMs: 60_000,
  });
  store.intake.logs(Array.from({ length: 400 }, () => logRecord()));
  store.intake.spans(Array.from({ length: 900 }, (_, k) => span({ spanId: spanIdOf(k + 1) })));
  expect(store.state()).toMatchObject({ dropped: { logs: 400, spans: 0 }, waiting: 900 });
  store.intake.samples(Array.from({ length: 200 }, () => sample()));
  expect(store.state()).toMatchObject({ dropped: { logs: 400, spans: 512 }, waiting: 588 });
  await store.flush();
  expect(store.state()).toMatchObject({ waiting: 0, waitingBytes: 0, written: { spans: 388 } });
});

test('large records are bounded by their bytes', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path, {
    bufferBytesMax: 100_000,
    flushEveryMs: 60_000,
  });
  for (let k = 0; k < 10; k += 1) store.intake.logs([logRecord({ line: 'x'.repeat(30_000) })]);
  expect(store.state()).toMatchObject({ waiting: 3, dropped: { logs: 7 } });
  expect(store.state().waitingBytes).toBeLessThan(100_000);
});

test('a damaged file is put aside with a word about it, and the store starts empty', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'telemetry.duckdb'), 'this is no database'.repeat(1_000));
  const log = rememberingLog();
  await using store = await openStore(folder.path, { log });
  expect(store.state().status).toBe('open');
  expect(readdirSync(folder.path)).toContain('telemetry.duckdb.aside');
  expect(log.told.map(({ message }) => message)).toEqual([
    'the telemetry file cannot be read: kept as telemetry.duckdb.aside, starting empty',
  ]);
});

test('a file of another release is put aside', async () => {
  using folder = temporaryFolder();
  {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(join(folder.path, 'telemetry.duckdb'));
    const connection = await instance.connect();
    await connection.run('CREATE TABLE about AS SELECT 999 AS schema_version');
    connection.closeSync();
    instance.closeSync();
  }
  const log = rememberingLog();
  await using store = await openStore(folder.path, { log });
  expect(store.state().status).toBe('open');
  expect(log.told[0]?.fields['why']).toContain('999');
});

test('a folder that cannot be used is no failure: it is tried again until it can', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'data');
  writeFileSync(path, 'a file where the folder should be');
  await using store = await openStore(path);
  expect(store.state().status).toBe('broken');
  store.intake.spans([span()]);
  await store.flush();
  await expect(store.rows('SELECT 1')).rejects.toThrow('cannot be read now');
  const { rmSync } = await import('node:fs');
  rmSync(path);
  await until(() => store.state().written.spans === 1, {
    deadlineMs: 20_000,
    what: 'the span in the file',
  });
  expect(await store.reads.spansOfTrace(traceOf(1))).toEqual([span()]);
});

test('a closed store takes in nothing and says so', async () => {
  using folder = temporaryFolder();
  const store = await openStore(folder.path);
  store.intake.spans([span()]);
  await store[Symbol.asyncDispose]();
  store.intake.spans([span()]);
  await store.flush();
  expect(store.state()).toMatchObject({
    status: 'closed',
    written: { spans: 1 },
    dropped: { spans: 1 },
  });
  await expect(store.rows('SELECT 1')).rejects.toThrow('is closed');
});
