import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backUp } from '../src/backup/back-up.ts';
import { forEach, walk } from '../src/backup/copy.ts';
import { checkBackup, readManifest, writeManifest } from '../src/backup/manifest.ts';
import { logFiles, skipsInRunning, skipsInStopped } from '../src/backup/running-cluster.ts';
import { temporaryFolder } from './support.ts';

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

test('the log of a copy has no gap, also where the number of the middle goes up', () => {
  using folder = temporaryFolder();
  const names = [
    '0000000100000000000000FE',
    '0000000100000000000000FF',
    '000000010000000100000000',
  ];
  const more = ['0000000100000000000000FD', '000000010000000100000001', '00000002.history'];
  for (const name of [...names, ...more]) writeFileSync(join(folder.path, name), '');
  const [first = '', , last = ''] = names;
  expect(logFiles(folder.path, first, last)).toEqual(names);
  expect(logFiles(folder.path, first, first)).toEqual([first]);
  expect(() => logFiles(folder.path, first, '000000010000000100000002')).toThrow(
    'there are 4 files of 5',
  );
});

test('of a running cluster its log and its lock are left out, of a stopped one only the lock', () => {
  const paths = ['pg_wal', 'pg_wal/000000010000000000000001', 'postmaster.pid', 'base/5/1259'];
  expect(paths.map(skipsInRunning)).toEqual([false, true, true, false]);
  expect(paths.map(skipsInStopped)).toEqual([false, false, true, false]);
  expect(skipsInRunning('base/pgsql_tmp/pgsql_tmp1.0')).toBe(true);
  expect(skipsInRunning('backup_label')).toBe(true);
});

const good = {
  ...({ product: 'rushlight-backup', version: 1, at: '2026-01-01T00:00:00Z' } as const),
  ...{ running: true, formatVersion: 1, postgres: 18, platform: 'linux', arch: 'x64', folders: [] },
};

test('a manifest that names files elsewhere is refused, however right its sum is', async () => {
  for (const path of [
    '../secrets.json',
    'data/../../x',
    '/etc/passwd',
    'data',
    'data//x',
    'else/x',
  ]) {
    using folder = temporaryFolder();
    writeManifest(folder.path, { ...good, files: [{ path, bytes: 0, sha256: sumOf('') }] });
    expect(() => readManifest(folder.path), path).toThrow('says something else');
  }
});

test('a backup of a newer kind says so', () => {
  using folder = temporaryFolder();
  writeManifest(folder.path, { ...good, version: 2, files: [] });
  expect(() => readManifest(folder.path)).toThrow('written by a newer Rushlight');
});

test('a file of the right length with another content is found', async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, 'data'));
  writeFileSync(join(folder.path, 'data', 'x'), 'one');
  const files = [{ path: 'data/x', bytes: 3, sha256: sumOf('one') }];
  writeManifest(folder.path, { ...good, files });
  await checkBackup(folder.path, readManifest(folder.path));
  writeFileSync(join(folder.path, 'data', 'x'), 'two');
  await expect(checkBackup(folder.path, readManifest(folder.path))).rejects.toThrow(
    'data/x is not',
  );
});

test('a backup goes neither into the shop nor over anything, and needs a shop', async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const into = (target: string) => backUp({ data, target: join(folder.path, target) });
  await expect(into('backup')).rejects.toThrow('holds no shop');
  mkdirSync(data);
  for (const name of ['format.json', 'secrets.json']) writeFileSync(join(data, name), '{}');
  await expect(into('data/backup')).rejects.toThrow('is inside of');
  writeFileSync(join(folder.path, 'there'), '');
  await expect(into('there')).rejects.toThrow('is there already');
});

test('a link in the cluster is refused: it leads to what is not copied', async () => {
  using folder = temporaryFolder();
  symlinkSync('/', join(folder.path, 'elsewhere'));
  await expect(walk(folder.path)).rejects.toThrow('neither a file nor a folder');
});

test('what is done for each ends with the first failure', async () => {
  const done: number[] = [];
  const numbers = Array.from({ length: 1_000 }, (_, index) => index);
  const doing = forEach(numbers, async (number) => {
    if (number === 20) throw new Error('the disk is full');
    done.push(number);
  });
  await expect(doing).rejects.toThrow('full');
  expect(done.length).toBeLessThan(100);
});
