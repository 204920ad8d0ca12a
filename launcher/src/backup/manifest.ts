// What a backup is: a folder with this file in it, which says of every other file how long it is and
// what it sums up to.
//
//   manifest.json  manifest.sha256  data/…  cluster/…
//
// M1. The manifest is written last, and the folder gets its name after that: what has the name is whole.
// M2. A backup is used only if every file that the manifest names is there as it was, and no other.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeWhole } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import { forEach, hashFile } from './copy.ts';

export const backupVersion = 1;

const Path = z
  .string()
  .regex(/^(cluster|data)(\/[^/]+)+$/)
  .refine((path) => !/\/\.\.?(\/|$)/.test(path));
const Listed = z.strictObject({
  path: Path,
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ListedFile = z.infer<typeof Listed>;

const Manifest = z.object({
  product: z.literal('rushlight-backup'),
  version: z.int().min(1),
  /** The instant for which all databases stand; a running shop's is that of the end of the copy. */
  at: z.string(),
  /** Whether the shop ran meanwhile. */
  running: z.boolean(),
  /** Of the data folder. */
  formatVersion: z.int().min(1),
  postgres: z.int().min(1),
  platform: z.string(),
  arch: z.string(),
  folders: z.array(Path),
  files: z.array(Listed),
});
export type Manifest = z.infer<typeof Manifest>;

const manifestFile = 'manifest.json';
const sumFile = 'manifest.sha256';
const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

export function writeManifest(folder: string, manifest: Manifest): void {
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  writeWhole(join(folder, manifestFile), text);
  writeWhole(join(folder, sumFile), `${sumOf(text)}  ${manifestFile}\n`);
}

/** @throws LaunchError when there is no manifest, or none that this program understands */
export function readManifest(folder: string): Manifest {
  const found = statOf(folder);
  if (found === undefined) throw new LaunchError(`There is no backup at ${folder}.`);
  if (!found.isDirectory()) throw new LaunchError(`${folder} is no backup: it is no folder.`);
  const text = readIfThere(join(folder, manifestFile));
  if (text === undefined) {
    throw new LaunchError(`${folder} is no whole backup: it has no ${manifestFile}.`);
  }
  const sum = readIfThere(join(folder, sumFile))?.slice(0, 64);
  if (sum !== sumOf(text)) throw damaged(folder, `${manifestFile} is not what was written`);
  const read = Manifest.safeParse(JSON.parse(text));
  const { version } = z.looseObject({ version: z.unknown() }).parse(JSON.parse(text));
  if (typeof version === 'number' && version > backupVersion) {
    throw new LaunchError(
      `${folder} has version ${version}, written by a newer Rushlight; this one knows up to ` +
        `${backupVersion}. Update it.`,
    );
  }
  if (!read.success) throw damaged(folder, `${manifestFile} says something else`);
  return read.data;
}

/**
 * Compares a backup with its manifest, file by file (M2).
 *
 * @throws LaunchError that names the first file that is not as it was
 */
export async function checkBackup(folder: string, manifest: Manifest): Promise<void> {
  const known = new Set(manifest.files.map(({ path }) => path));
  const stranger = filesBelow(folder).find((path) => !known.has(path));
  if (stranger !== undefined) throw damaged(folder, `${stranger} does not belong to it`);
  await forEach(manifest.files, async (file) => {
    const path = join(folder, file.path);
    const size = statOf(path)?.size;
    if (size === undefined) throw damaged(folder, `${file.path} is missing`);
    if (size !== file.bytes || (await hashFile(path)) !== file.sha256) {
      throw damaged(folder, `${file.path} is not what was written`);
    }
  });
}

export function damaged(folder: string, why: string): LaunchError {
  return new LaunchError(`The backup ${folder} is damaged: ${why}. Use another one.`);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== manifestFile && path !== sumFile);
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

export function readFormatOf(file: string): number {
  return z.object({ version: z.int().min(1) }).parse(JSON.parse(readFileSync(file, 'utf8')))
    .version;
}
