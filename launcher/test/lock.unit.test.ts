import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkFormat, forgetData, openDataFolder } from '../src/data-folder.ts';
import { takeLock } from '../src/lock.ts';
import { identityOf } from '../src/processes.ts';
import { temporaryFolder } from './support.ts';

test('a second start is refused with who, since when and where', () => {
  using folder = temporaryFolder();
  const lock = takeLock(folder.path, 3000);
  expect(() => takeLock(folder.path, 3001)).toThrow(
    new RegExp(`already runs on .*: pid ${process.pid}, port 3000, since \\d{4}-`),
  );
  lock.release();
  expect(readdirSync(folder.path)).toEqual([]);
  takeLock(folder.path, 3001).release();
});

test('the lock of a process that was killed is taken over', async () => {
  using folder = temporaryFolder();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const owner = { ...identityOf(child.pid ?? 0), since: new Date().toISOString(), port: 3000 };
  writeFileSync(join(folder.path, 'lock'), JSON.stringify(owner));
  expect(() => takeLock(folder.path, 3000)).toThrow(/already runs/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = takeLock(folder.path, 3000);
  expect(lock.wasStale).toBe(true);
  lock.release();
});

test('a pid that is used again by another process does not keep a lock', () => {
  using folder = temporaryFolder();
  const owner = { pid: process.pid, start: 'long ago', since: '2026-01-01', port: 3000 };
  writeFileSync(join(folder.path, 'lock'), JSON.stringify(owner));
  takeLock(folder.path, 3000).release();
});

test('a damaged lock keeps nobody out', () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'lock'), 'not json');
  takeLock(folder.path, 3000).release();
});

test('releasing does not remove the lock of somebody else', () => {
  using folder = temporaryFolder();
  const lock = takeLock(folder.path, 3000);
  writeFileSync(join(folder.path, 'lock'), 'another');
  lock.release();
  expect(existsSync(join(folder.path, 'lock'))).toBe(true);
});

test("a folder with somebody else's files is refused and left alone", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'thesis.docx'), 'years of work');
  expect(() => openDataFolder(folder.path)).toThrow(/holds files that are not Rushlight's/);
  expect(readdirSync(folder.path)).toEqual(['thesis.docx']);
});

test('a folder of a newer format is refused, a fresh start may forget it', () => {
  using folder = temporaryFolder();
  const format = join(folder.path, 'format.json');
  writeFileSync(format, JSON.stringify({ product: 'rushlight', version: 99 }));
  writeFileSync(join(folder.path, 'secrets.json'), '{}');
  const data = openDataFolder(folder.path);
  expect(() => checkFormat(data, false)).toThrow(/format 99, written by a newer Rushlight/);
  checkFormat(data, true);
  forgetData(data);
  expect(readdirSync(folder.path)).toEqual(['format.json']);
  checkFormat(data, false);
});

test('a damaged format file is told plainly', () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'format.json'), '{');
  expect(() => checkFormat(openDataFolder(folder.path), false)).toThrow(/is damaged/);
});
