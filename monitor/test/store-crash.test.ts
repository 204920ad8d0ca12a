import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore, rememberingLog, span, temporaryFolder } from './store-under-test.ts';

const slow = { timeout: 150_000 };

/** Writes until it is killed, and tells how much the store said was written. */
async function killedInTheMiddle(folder: string): Promise<number> {
  const child = fork(new URL('./store-writing-process.ts', import.meta.url), [folder]);
  let written = 0;
  child.on('message', (message: number) => {
    written = message;
    if (written > 3_000) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  return written;
}

test('what was written is there after the process was killed', slow, async () => {
  using folder = temporaryFolder();
  for (let round = 1; round <= 2; round += 1) {
    const log = rememberingLog();
    const before = await countSpans(folder.path, log);
    const written = await killedInTheMiddle(folder.path);
    expect(written).toBeGreaterThan(3_000);
    expect(await countSpans(folder.path, log)).toBeGreaterThanOrEqual(before + written);
    expect(log.told).toEqual([]);
  }
});

async function countSpans(folder: string, log: ReturnType<typeof rememberingLog>): Promise<number> {
  await using store = await openStore(folder, { log });
  const [row] = await store.rows<{ n: number }>('SELECT count(*) AS n FROM spans');
  return row?.n ?? 0;
}

test.each([
  ['cut in half', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['empty', () => Buffer.alloc(0)],
  [
    'with a torn header',
    (bytes: Buffer) => Buffer.concat([Buffer.alloc(4_096), bytes.subarray(4_096)]),
  ],
])('a file %s is put aside, or read; the store goes on', slow, async (_, damage) => {
  using folder = temporaryFolder();
  await killedInTheMiddle(folder.path);
  await countSpans(folder.path, rememberingLog());
  const path = join(folder.path, 'telemetry.duckdb');
  writeFileSync(path, damage(readFileSync(path)));
  const log = rememberingLog();
  await using store = await openStore(folder.path, { log });
  expect(store.state().status).toBe('open');
  expect(log.told.map(({ message }) => message)).toEqual([
    'the telemetry file cannot be read: kept as telemetry.duckdb.aside, starting empty',
  ]);
  expect(await store.rows('SELECT count(*) AS n FROM spans')).toEqual([{ n: 0 }]);
});

test('of a log of changes that is cut off all that is whole is kept', slow, async () => {
  using folder = temporaryFolder();
  await killedInTheMiddle(folder.path);
  const path = join(folder.path, 'telemetry.duckdb.wal');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * 2) / 3)));
  const log = rememberingLog();
  expect(await countSpans(folder.path, log)).toBeGreaterThan(500);
  expect(log.told).toEqual([]);
});

test('a torn log of changes costs what is in it, and nothing before', slow, async () => {
  using folder = temporaryFolder();
  await killedInTheMiddle(folder.path);
  const before = await countSpans(folder.path, rememberingLog()); // Closing works the log in.
  await killedInTheMiddle(folder.path);
  const path = join(folder.path, 'telemetry.duckdb.wal');
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, -64), Buffer.alloc(64)]));
  const log = rememberingLog();
  await using store = await openStore(folder.path, { log });
  expect(log.told.map(({ message }) => message)).toEqual([
    'the newest telemetry cannot be read: kept as telemetry.duckdb.aside.wal, starting without it',
  ]);
  expect(await store.rows('SELECT count(*) AS n FROM spans')).toEqual([{ n: before }]);
  store.intake.spans([span()]);
  await store.flush();
  expect(await store.rows('SELECT count(*) AS n FROM spans')).toEqual([{ n: before + 1 }]);
});
