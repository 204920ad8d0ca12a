// Copies folders file by file, sums each file up on the way, and has it on the disk before it goes on.

import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LaunchError } from '../launch-error.ts';

const chunkBytes = 1024 * 1024;

export type Copied = { bytes: number; sha256: string };

/**
 * Copies a file that others may be writing to; undefined when it is gone.
 *
 * @param onOpen called with the new file before anything is in it
 */
export async function copyFile(
  from: string,
  to: string,
  onOpen: (file: FileHandle) => Promise<void> = async () => undefined,
): Promise<Copied | undefined> {
  let source: FileHandle;
  try {
    source = await open(from, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const target = await open(to, 'wx', 0o600);
    try {
      await onOpen(target);
      const copied = await pour(source, target);
      await target.sync();
      return copied;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export async function hashFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return (await pour(file, undefined)).sha256;
  } finally {
    await file.close();
  }
}

async function pour(source: FileHandle, target: FileHandle | undefined): Promise<Copied> {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(chunkBytes);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, chunkBytes, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
    const part = chunk.subarray(0, bytesRead);
    hash.update(part);
    if (target !== undefined) await writeAll(target, part);
    bytes += bytesRead;
  }
}

async function writeAll(target: FileHandle, part: Buffer): Promise<void> {
  for (let written = 0; written < part.length; ) {
    written += (await target.write(part, written)).bytesWritten;
  }
}

/** Has the names in a folder on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export type Walked = { folders: string[]; files: string[] };

/** Everything below a folder, as paths from there; what `skips` names is left out, with all in it. */
export async function walk(
  folder: string,
  skips: (path: string) => boolean = () => false,
): Promise<Walked> {
  const found: Walked = { folders: [], files: [] };
  const visit = async (below: string): Promise<void> => {
    for (const entry of await entriesOf(join(folder, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (skips(path)) continue;
      if (entry.isDirectory()) {
        found.folders.push(path);
        await visit(path);
      } else if (entry.isFile()) {
        found.files.push(path);
      } else {
        throw new LaunchError(`${join(folder, path)} is neither a file nor a folder.`);
      }
    }
  };
  await visit('');
  return found;
}

/** None, when the folder went away while we looked. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Has the names in all of these folders, and in the one above them, on the disk. */
export async function syncFolders(root: string, folders: readonly string[]): Promise<void> {
  await forEach(folders, (folder) => syncFolder(join(root, folder)));
  await syncFolder(root);
  await syncFolder(dirname(root));
}

/** Waiting for the disk is most of the work, and it waits for several as long as for one. */
const lanes = 8;

/** Does this for each, several at a time; the first failure ends it. */
export async function forEach<T>(
  values: readonly T[],
  work: (value: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && next < values.length) {
      const value = values[next++] as T;
      try {
        await work(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
