// The data folder: its layout, its format version, and what may be done to it.
//
// D1. Only a folder that is empty or carries our format file is ever written to or cleared, so
//     that `--data ~ --fresh` harms nobody.
// D2. A folder of a newer format is refused; an older one is migrated step by step, or refused.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeWhole } from './files.ts';
import { LaunchError } from './launch-error.ts';

export const formatVersion = 1;

/** From a version to the next one. Each step must be safe to repeat after a crash. */
const migrations: Readonly<Record<number, (folder: string) => void>> = {};

const Format = z.object({ product: z.literal('rushlight'), version: z.int().min(1) });

export type DataFolder = {
  readonly root: string;
  readonly postgres: string;
  readonly secrets: string;
  readonly children: string;
  readonly logs: string;
  readonly cache: string;
  /** Where metrics are: see targets-file.ts. */
  readonly targets: string;
  /** The folder of a service's own files. */
  service(name: string): string;
};

export function layoutOf(path: string): DataFolder {
  const root = resolve(path);
  return {
    root,
    postgres: join(root, 'postgres'),
    secrets: join(root, 'secrets.json'),
    children: join(root, 'children.json'),
    logs: join(root, 'logs'),
    cache: join(root, 'cache'),
    targets: join(root, 'targets.json'),
    service: (name) => join(root, 'services', name),
  };
}

/** Makes the folder if it is missing. Throws LaunchError if it belongs to something else (D1). */
export function openDataFolder(path: string): DataFolder {
  const folder = layoutOf(path);
  try {
    // Others may pass through, not look in: as root, Postgres runs as another user below.
    mkdirSync(folder.root, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const names = readdirSync(folder.root);
    if (names.includes('format.json')) return folder;
    // What a start that was killed at its very beginning leaves behind is ours as well.
    const strangers = names.filter((name) => !/^(lock$|lock\.|format\.json\.)/.test(name));
    if (strangers.length === 0) return folder;
  } catch (error) {
    throw new LaunchError(`Cannot use the data folder ${folder.root}: ${(error as Error).message}`);
  }
  throw new LaunchError(
    `${folder.root} holds files that are not Rushlight's. Choose an empty folder with --data DIR.`,
  );
}

/**
 * Marks a new folder as ours, and refuses one of another format that cannot be brought to ours.
 *
 * @param fresh whatever is in it will be forgotten, so any format will do
 * @throws LaunchError
 */
export function checkFormat(folder: DataFolder, fresh: boolean): void {
  const found = fresh ? undefined : readFormat(folder.root);
  if (found === undefined) {
    writeFormat(folder.root);
    return;
  }
  if (found > formatVersion) {
    throw new LaunchError(
      `${folder.root} has format ${found}, written by a newer Rushlight; this one knows up to ` +
        `${formatVersion}. Update it, or choose another folder with --data DIR.`,
    );
  }
  for (let version = found; version < formatVersion; version += 1) {
    if (migrations[version] !== undefined) continue;
    throw new LaunchError(
      `${folder.root} has format ${found}, too old to be brought to ${formatVersion}. ` +
        'Start with --fresh to forget it, or choose another folder with --data DIR.',
    );
  }
}

/** Brings a folder that passed the check, and in which nothing runs, to the present format. */
export function migrateFormat(folder: DataFolder): void {
  const found = readFormat(folder.root) ?? formatVersion;
  for (let version = found; version < formatVersion; version += 1) {
    migrations[version]?.(folder.root);
  }
  if (found !== formatVersion) writeFormat(folder.root);
  for (const made of [folder.logs, folder.cache]) mkdirSync(made, { recursive: true, mode: 0o700 });
}

/** Removes everything but the lock and the mark that the folder is ours. */
export function forgetData(folder: DataFolder): void {
  const kept = new Set(['lock', 'format.json']);
  for (const name of readdirSync(folder.root)) {
    if (!kept.has(name)) rmSync(join(folder.root, name), { recursive: true, force: true });
  }
}

function writeFormat(root: string): void {
  const text = JSON.stringify({ product: 'rushlight', version: formatVersion });
  writeWhole(join(root, 'format.json'), `${text}\n`);
}

function readFormat(root: string): number | undefined {
  const path = join(root, 'format.json');
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return Format.parse(JSON.parse(text)).version;
  } catch {
    throw new LaunchError(`${path} is damaged. Restore it, or start with --fresh.`);
  }
}
