// Writes the secrets of an installation into a folder; what is there already is left as it is.
//
// W1. A file can be read by its maker and by the group of its reader, where the maker belongs to that
//     group; elsewhere by its maker alone.

import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere, writeWhole } from './files.ts';
import { keepSecrets } from './kept-secrets.ts';
import { readerGroups } from './readers.ts';
import { type EngineAddresses, type SecretFile, secretFiles } from './secret-files.ts';

/** What was made by chance, below the folder; all other files can be made from it again. */
const keptPath = 'setup/kept.json';

/** @returns the files that were written, because they were not there or said something else */
export function writeSecrets(folder: string, engines: EngineAddresses): string[] {
  mkdirSync(join(folder, dirname(keptPath)), { recursive: true, mode: 0o700 });
  const kept = keepSecrets(join(folder, keptPath));
  return secretFiles(kept, engines)
    .filter((file) => writeSecret(folder, file))
    .map(({ path }) => path);
}

function writeSecret(folder: string, { path, text, reader }: SecretFile): boolean {
  const at = join(folder, path);
  const isSame = readIfThere(at) === text;
  mkdirSync(dirname(at), { recursive: true, mode: 0o700 });
  if (!isSame) writeWhole(at, text, 0o400);
  open(dirname(at), at, reader);
  return !isSame;
}

function open(folder: string, path: string, reader: SecretFile['reader']): void {
  if (reader === 'everybody') {
    chmodSync(folder, 0o755);
    chmodSync(path, 0o444);
    return;
  }
  const group = reader === 'setup' ? undefined : readerGroups[reader];
  if (group === undefined || !mayGiveTo(group)) return;
  for (const [at, mode] of [
    [path, 0o440],
    [folder, 0o750],
  ] as const) {
    chownSync(at, process.getuid?.() ?? -1, group);
    chmodSync(at, mode);
  }
}

function mayGiveTo(group: number): boolean {
  return process.getuid?.() === 0 || process.getgroups?.().includes(group) === true;
}
