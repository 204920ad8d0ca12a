import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { RotatedLog } from '../src/logs.ts';
import { temporaryFolder } from './support.ts';

const lines = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `line ${index} ${'x'.repeat(20)}`);

function readAll(path: string, filesMax: number): string[] {
  const files = [...Array(filesMax).keys()].reverse().map((age) => (age ? `${path}.${age}` : path));
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
}

test('no line is lost or cut over rotations, however the chunks fall', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'a.log');
  const log = new RotatedLog(path, { bytesMax: 1_000, filesMax: 50 });
  const stream = new PassThrough();
  const done = log.follow(stream);
  const text = Buffer.from(`${lines(1_000).join('\n')}\nülast without an end`);
  for (let at = 0; at < text.length; at += 97) stream.write(text.subarray(at, at + 97));
  stream.end();
  await done;
  log.close();
  expect(readAll(path, 50)).toEqual([...lines(1_000), 'ülast without an end']);
});

test('only the last files are kept, none much larger than its limit', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'a.log');
  const log = new RotatedLog(path, { bytesMax: 1_000, filesMax: 3 });
  for (const line of lines(500)) log.write([line]);
  log.close();
  const kept = readAll(path, 10);
  expect(kept).toEqual(lines(500).slice(-kept.length));
  expect(existsSync(`${path}.3`)).toBe(false);
  for (const file of [path, `${path}.1`, `${path}.2`]) {
    expect(statSync(file).size).toBeLessThan(1_100);
  }
});

test('a new run goes on where the last one ended, and counts what is there', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'a.log');
  writeFileSync(path, `${'old '.repeat(300)}\n`);
  const log = new RotatedLog(path, { bytesMax: 1_000, filesMax: 3 });
  log.write(['new']);
  log.close();
  expect(readFileSync(path, 'utf8')).toBe('new\n');
  expect(readFileSync(`${path}.1`, 'utf8')).toContain('old');
});

test('the last lines can be asked for', () => {
  using folder = temporaryFolder();
  const log = new RotatedLog(join(folder.path, 'a.log'));
  log.write(lines(100));
  log.close();
  expect(log.tail()).toEqual(lines(100).slice(-20));
});

test('a log that cannot be written stops nobody', () => {
  using folder = temporaryFolder();
  const log = new RotatedLog(join(folder.path, 'no', 'such', 'folder.log'));
  log.write(['one', 'two']);
  expect(log.tail()).toEqual(['one', 'two']);
});

test('a line without end is written in pieces instead of being kept', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'a.log');
  const log = new RotatedLog(path);
  const stream = new PassThrough();
  const done = log.follow(stream);
  stream.end('y'.repeat(200_000));
  await done;
  log.close();
  expect(readFileSync(path, 'utf8').replaceAll('\n', '')).toBe('y'.repeat(200_000));
});
