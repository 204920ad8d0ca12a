import { readdirSync } from 'node:fs';
import { realEnvironment } from '@rushlight/chassis';
import { seededRandom, until } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import type { Span } from '../src/model.ts';
import type { TelemetryStore } from '../src/store/face.ts';
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

/** They wait for a file that is worked over many times. */
const slow = { timeout: 150_000 };
const hourMs = 3_600_000;
const often = { retentionEveryMs: 20 };
const all = { fromUs: 0, toUs: noonUs * 2, limit: 100 };

/** A clock that the test moves. */
function movingClock() {
  let nowMs = noonMs;
  const env = { ...realEnvironment, nowMs: () => nowMs };
  const pass = (durationMs: number): void => {
    nowMs += durationMs;
  };
  return { env, pass };
}

async function counts(store: TelemetryStore): Promise<Record<string, number>> {
  await store.flush();
  const [row] = await store.rows<Record<string, number>>(
    `SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM logs) AS logs,
       (SELECT count(*) FROM samples) AS samples, (SELECT count(*) FROM exemplars) AS exemplars,
       (SELECT count(*) FROM series) AS series`,
  );
  return row ?? {};
}

test(
  'what is older than its kind may be is deleted, and the series that is empty then',
  slow,
  async () => {
    using folder = temporaryFolder();
    const { env, pass } = movingClock();
    const retention = { spansMs: hourMs, logsMs: 2 * hourMs, samplesMs: 3 * hourMs };
    await using store = await openStore(folder.path, { env, retention, ...often });
    const exemplar = { traceId: traceOf(1), value: 1, atMs: noonMs };
    store.intake.spans([span(), span({ startUs: noonUs + hourMs * 1_000 })]);
    store.intake.logs([logRecord()]);
    store.intake.samples([
      sample({ name: 'gone', exemplar }),
      sample({ name: 'going on' }),
      sample({ name: 'going on', atMs: noonMs + 3 * hourMs }),
    ]);
    const untilIs = (expected: object) =>
      until(async () => JSON.stringify(await counts(store)) === JSON.stringify(expected), {
        what: JSON.stringify(expected),
        deadlineMs: 60_000,
      });
    await untilIs({ spans: 2, logs: 1, samples: 3, exemplars: 1, series: 2 });
    pass(1.1 * hourMs);
    await untilIs({ spans: 1, logs: 1, samples: 3, exemplars: 1, series: 2 });
    pass(hourMs);
    await untilIs({ spans: 0, logs: 0, samples: 3, exemplars: 1, series: 2 });
    pass(1.1 * hourMs);
    await untilIs({ spans: 0, logs: 0, samples: 1, exemplars: 0, series: 1 });
    await until(() => store.state().series === 1, {
      what: 'the series to be forgotten',
      deadlineMs: 60_000,
    });
    store.intake.samples([sample({ name: 'gone', atMs: noonMs + 3 * hourMs })]);
    expect(await counts(store)).toMatchObject({ samples: 2, series: 2 });
  },
);

test('where series are too many, those that ended an hour ago make room', slow, async () => {
  using folder = temporaryFolder();
  const { env, pass } = movingClock();
  const retention = { samplesMs: 100 * hourMs };
  await using store = await openStore(folder.path, { env, retention, seriesMax: 10, ...often });
  const put = (service: string, path: string): void =>
    store.intake.samples([sample({ labels: { service, path }, atMs: env.nowMs() })]);
  const putAll = (): void => {
    for (const service of ['gateway', "o'ven", 'cafe']) put(service, '/old');
    put("o'ven", '/older');
  };
  const named = async (): Promise<string[]> => {
    await store.flush();
    const range = { fromMs: 0, toMs: noonMs + 50 * hourMs };
    const found = await store.series.select([], range);
    return found.map(({ labels }) => `${labels['service']} ${labels['path']}`).sort();
  };
  putAll();
  await store.flush();
  pass(0.9 * hourMs);
  put("o'ven", '/older');
  await store.flush();
  pass(0.2 * hourMs);
  put("o'ven", '/new');
  await store.flush();
  expect(store.state()).toMatchObject({ series: 4, seriesRefused: 1, seriesRefusedOf: ["o'ven"] });
  await until(() => store.state().series === 3, { what: 'room', deadlineMs: 60_000 });
  expect(await named()).toEqual(['cafe /old', 'gateway /old', "o'ven /older"]);
  put("o'ven", '/new');
  expect(await named()).toEqual(['cafe /old', 'gateway /old', "o'ven /new", "o'ven /older"]);
  expect(await counts(store)).toMatchObject({ samples: 5, series: 4 });
});

/** Spans that do not compress. */
function heavySpans(count: number, from: number): Span[] {
  const random = seededRandom(from);
  const text = (): string => Array.from({ length: 20 }, () => random().toString(36)).join('');
  return Array.from({ length: count }, (_, k) =>
    span({
      spanId: spanIdOf(from + k + 1),
      startUs: noonUs + from + k,
      attributes: { text: text() },
    }),
  );
}

test(
  'a flood stays within the limit of size: the oldest spans go, other kinds stay',
  slow,
  async () => {
    using folder = temporaryFolder();
    const log = rememberingLog();
    const retention = { fileBytesMax: 6 * 1024 ** 2 };
    await using store = await openStore(folder.path, { retention, log, ...often });
    store.intake.logs([logRecord()]);
    store.intake.samples([sample()]);
    const wave = 8_000;
    const isWithin = async (): Promise<boolean> => {
      const sql = 'SELECT used_blocks * block_size AS bytes FROM pragma_database_size()';
      const [held] = await store.rows<{ bytes: number }>(sql);
      return (held?.bytes ?? 0) <= retention.fileBytesMax;
    };
    const flood = async (waves: readonly number[]): Promise<void> => {
      for (const k of waves) {
        store.intake.spans(heavySpans(wave, k * wave));
        await store.flush();
      }
      await until(isWithin, { what: 'the limit to be kept', deadlineMs: 60_000 });
    };
    await flood([0, 1, 2]);
    await flood([3]);
    expect(log.told.map(({ message }) => message)).toContain(
      'the telemetry file is full: the oldest is deleted',
    );
    const [newest] = (await store.reads.spansBetween({ ...all, limit: 1 })).map(
      (one) => one.spanId,
    );
    expect(newest).toBe(spanIdOf(4 * wave));
    const [oldest] = (await store.reads.spansBetween(all)).map((one) => one.spanId);
    expect(oldest).not.toBe(spanIdOf(1));
    expect(await counts(store)).toMatchObject({ logs: 1, samples: 1, series: 1 });
    expect(store.state()).toMatchObject({ status: 'open', dropped: { spans: 0 } });
  },
);

test('room is given back to the disk when most of the file is free', slow, async () => {
  using folder = temporaryFolder();
  const log = rememberingLog();
  const { env, pass } = movingClock();
  // Every flush is worked into the file at once.
  const retention = { spansMs: hourMs, fileBytesMax: 32 * 1024 ** 2 };
  const options = { env, log, retention, compactBytesMin: 1024 ** 2 };
  await using store = await openStore(folder.path, { ...options, ...often });
  store.intake.spans(heavySpans(20_000, 0));
  await store.flush();
  const line = heavySpans(1_000, 0)
    .map(({ attributes }) => attributes['text'])
    .join('\n');
  const lines = Array.from({ length: 1_000 }, (_, k) =>
    logRecord({ level: 'error', line: line.slice(k * 200, k * 200 + 1_200) }),
  );
  store.intake.logs(lines);
  store.intake.samples([sample()]);
  await store.flush();
  pass(2 * hourMs);
  store.intake.spans([span({ startUs: noonUs + 2 * hourMs * 1_000 })]);
  await until(() => log.told.some(({ message }) => message.includes('made smaller')), {
    what: 'a smaller file',
    deadlineMs: 60_000,
  });
  await until(() => store.state().status === 'open', {
    what: 'the store to be open again',
    deadlineMs: 60_000,
  });
  const told = log.told.find(({ message }) => message.includes('made smaller'))?.fields;
  expect(Number(told?.['fileBytes'])).toBeLessThan(Number(told?.['before']) / 1.8);
  expect(await counts(store)).toMatchObject({ spans: 1, logs: 1_000, samples: 1 });
  store.intake.samples([sample({ atMs: noonMs + 1 })]);
  expect(await counts(store)).toMatchObject({ samples: 2, series: 1 });
  expect(readdirSync(folder.path).filter((name) => name.includes('copy'))).toEqual([]);
  expect((await store.readOnlySql('SELECT count(*) FROM metrics')).rows).toEqual([[2]]);
  expect(
    await store.reads.searchLogs({ ...all, levelMin: 'warn', newestFirst: true }),
  ).toHaveLength(100);
});
