import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyPostgres, librariesAreLinked, linkLibraries } from '../src/postgres/binaries.ts';
import { temporaryFolder } from './support.ts';

function packageIn(folder: string): string {
  const native = join(folder, 'package', 'native');
  for (const name of ['bin', 'lib']) mkdirSync(join(native, name), { recursive: true });
  writeFileSync(join(folder, 'package', 'package.json'), '{"version":"18.4.0"}');
  writeFileSync(join(native, 'bin', 'postgres'), 'program', { mode: 0o755 });
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), 'library');
  writeFileSync(join(native, 'lib', 'libpq.a'), 'only for compilers');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
  return native;
}

test('links that the install script did not make are made', () => {
  using folder = temporaryFolder();
  const native = packageIn(folder.path);
  expect(librariesAreLinked(native)).toBe(false);
  linkLibraries(native);
  linkLibraries(native);
  expect(librariesAreLinked(native)).toBe(true);
  expect(readFileSync(join(native, 'lib', 'libpq.so.5'), 'utf8')).toBe('library');
});

test('a copy of the programs is whole, linked, and made once', () => {
  using folder = temporaryFolder();
  const native = packageIn(folder.path);
  const home = join(folder.path, 'home');
  mkdirSync(home);
  const copy = copyPostgres(native, home);
  expect(copy).toBe(join(home, 'programs-18.4.0', 'native'));
  expect(readdirSync(join(copy, 'lib')).sort()).toEqual(['libpq.so.5', 'libpq.so.5.18']);
  writeFileSync(join(native, 'bin', 'postgres'), 'changed');
  copyPostgres(native, home);
  expect(readFileSync(join(copy, 'bin', 'postgres'), 'utf8')).toBe('program');
});
