import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '@rushlight/chassis';
import { until } from '@rushlight/chassis/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TelemetryStore } from '../src/store/face.ts';
import { recordOfLine } from '../src/tail/log-line.ts';
import { type LogTailOptions, startLogTail } from '../src/tail/log-tail.ts';
import { atNoon, noonMs, openStore, temporaryFolder } from './store-under-test.ts';

type Place = Disposable & { logs: string; data: string; offsets: string };

function place(): Place {
  const folder = temporaryFolder();
  const [logs, data] = [join(folder.path, 'logs'), join(folder.path, 'data')];
  mkdirSync(logs);
  mkdirSync(data);
  const offsets = join(data, 'offsets.json');
  return { logs, data, offsets, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

function follow(at: Place, store: TelemetryStore, options: Partial<LogTailOptions> = {}) {
  const files = { folder: at.logs, offsetsPath: at.offsets };
  return startLogTail({ ...files, store, env: atNoon, log: silentLog, everyMs: 10, ...options });
}

async function linesOf(store: TelemetryStore): Promise<string[]> {
  await store.flush();
  const rows = await store.rows<{ line: string }>('SELECT line FROM logs ORDER BY rowid');
  return rows.map(({ line }) => line);
}

async function untilLines(store: TelemetryStore, expected: readonly string[]): Promise<void> {
  await until(async () => (await linesOf(store)).length >= expected.length, {
    what: `${expected.length} lines`,
    deadlineMs: 20_000,
  });
  expect(await linesOf(store)).toEqual(expected);
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, k) => `line ${from + k}`);
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function rotate(path: string): void {
  for (let age = 4; age >= 1; age -= 1) {
    const younger = age === 1 ? path : `${path}.${age - 1}`;
    try {
      renameSync(younger, `${path}.${age}`);
    } catch {
      // There are not so many yet.
    }
  }
}

test('a line of our own services is understood, any other is kept as text', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const line = JSON.stringify({
    ...{ level: 'warn', time: '2026-09-22T11:59:59.123Z', service: 'orders', instance: 'orders-1' },
    ...{ msg: 'slow', durationMs: 12, trace_id: traceId, span_id: 'b7ad6b7169203331' },
  });
  expect(recordOfLine(line, 'file', noonMs)).toEqual({
    atUs: Date.parse('2026-09-22T11:59:59.123Z') * 1_000,
    ...{ service: 'orders', instance: 'orders-1', level: 'warn', message: 'slow', line },
    ...{ traceId, spanId: 'b7ad6b7169203331', attributes: {} },
  });
  const postgres = '2026-09-22 12:00:00.000 UTC [7] ERROR:  relation "x" does not exist';
  expect(recordOfLine(postgres, 'postgres', noonMs)).toEqual({
    ...{ atUs: noonMs * 1_000, service: 'postgres', instance: '', level: 'error' },
    ...{ message: postgres, line: postgres, attributes: {} },
  });
  expect(recordOfLine('{"level":50,"time":1}', 'x', noonMs)).toMatchObject({
    level: 'error',
    atUs: 1_000,
  });
  expect(recordOfLine('{"time":"9999-01-01"}', 'x', noonMs).atUs).toBe(noonMs * 1_000);
  expect(recordOfLine('{"msg": "torn', 'x', noonMs)).toMatchObject({ message: '{"msg": "torn' });
  expect(recordOfLine('y'.repeat(100_000), 'x', noonMs).line.length).toBe(65_536);
});

test('whatever a line holds, it becomes a record', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const { atUs, level, service } = recordOfLine(line, 'x', noonMs);
      expect([Number.isSafeInteger(atUs), typeof level, typeof service]).toEqual([
        ...[true, 'string', 'string'],
      ]);
    }),
  );
});

test('lines are followed as they are written, through rotations', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(path, textOf(numbered(0, 3)));
  await using tail = await follow(at, store);
  await tail.caughtUp;
  await untilLines(store, numbered(0, 3));
  appendFileSync(path, 'line 3\nline');
  await untilLines(store, numbered(0, 4));
  appendFileSync(path, ' 4\n');
  for (let round = 1; round < 5; round += 1) {
    appendFileSync(path, textOf(numbered(round * 10 - 5, round * 10)));
    rotate(path);
    writeFileSync(path, textOf(numbered(round * 10, round * 10 + 5)));
    await untilLines(store, numbered(0, round * 10 + 5));
  }
});

test('a restart neither loses nor repeats, also when lines came meanwhile', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(path, textOf(numbered(0, 5)));
  {
    await using tail = await follow(at, store);
    await tail.caughtUp;
  }
  expect(JSON.parse(readFileSync(at.offsets, 'utf8')).complete).toBe(true);
  appendFileSync(path, textOf(numbered(5, 8)));
  rotate(path);
  writeFileSync(path, textOf(numbered(8, 10)));
  await using tail = await follow(at, store);
  await tail.caughtUp;
  expect(await linesOf(store)).toEqual(numbered(0, 10));
});

test('after a crash the lines that the store has are not taken again', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(path, textOf(numbered(0, 4)));
  {
    await using first = await follow(at, store, { saveEveryMs: 0 });
    await first.caughtUp;
    await until(() => readFileSync(at.offsets, 'utf8').includes('false'), {
      what: 'offsets',
      deadlineMs: 20_000,
    });
  }
  const early = readFileSync(at.offsets, 'utf8').replace('true', 'false');
  appendFileSync(path, 'line 4\nline 5\nline 5\n');
  {
    await using second = await follow(at, store);
    await second.caughtUp;
  }
  writeFileSync(at.offsets, early); // As if it had ended before it could keep them.
  appendFileSync(path, 'line 5\nline 6\n');
  await using third = await follow(at, store);
  await third.caughtUp;
  const expected = [...numbered(0, 6), 'line 5', 'line 5', 'line 6'];
  expect(await linesOf(store)).toEqual(expected);
});

test('without offsets all files are read, oldest first, up to a limit', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(`${path}.2`, textOf(numbered(0, 100)));
  writeFileSync(`${path}.1`, textOf(numbered(100, 200)));
  writeFileSync(path, textOf(numbered(200, 300)));
  writeFileSync(join(at.logs, 'notes.txt'), 'not a log\n');
  await using tail = await follow(at, store, { catchUpBytesMax: 1_500 });
  await tail.caughtUp;
  const lines = await linesOf(store);
  expect(lines).toEqual(numbered(300 - lines.length, 300));
  expect(lines.length).toBeGreaterThan(140);
  expect(lines.length).toBeLessThan(170);
  expect(tail.state()).toMatchObject({ files: 3, lines: lines.length });
});

test('another file in the place of a known one is read from its beginning', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(path, 'first\nsecond\n');
  await using tail = await follow(at, store);
  await tail.caughtUp;
  rmSync(path);
  writeFileSync(path, 'other 1\nother 2\nother 3\n'); // Often the same inode.
  await untilLines(store, ['first', 'second', 'other 1', 'other 2', 'other 3']);
});

test('a line without an end is read in pieces, not kept in memory', async () => {
  using at = place();
  await using store = await openStore(at.data);
  const path = join(at.logs, 'orders.log');
  writeFileSync(path, `${'x'.repeat(600_000)}\nshort\n`);
  await using tail = await follow(at, store);
  await tail.caughtUp;
  const lines = await linesOf(store);
  expect(lines.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 5]);
});

test('a folder that does not exist yet is waited for', async () => {
  using at = place();
  await using store = await openStore(at.data);
  rmSync(at.logs, { recursive: true });
  await using tail = await follow(at, store);
  await tail.caughtUp;
  mkdirSync(at.logs);
  writeFileSync(join(at.logs, 'orders.log'), 'line 0\n');
  await untilLines(store, ['line 0']);
});
