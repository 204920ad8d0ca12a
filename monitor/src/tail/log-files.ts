// The log files of a folder, and what is read of them.
//
// A log is `orders.log`, with its predecessors `orders.log.1` (younger) to `orders.log.9`. A rotation
// renames them, so a file is known by its inode and by how it begins: an inode that was freed may
// come back as another file.

import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How far a file was read. */
export type Position = { inode: number; head: string; offset: number };

export type LogFile = {
  service: string;
  /** 0 is the one that is being written. */
  age: number;
  path: string;
  size: number;
  inode: number;
  /** How it begins. */
  head: string;
};

export type Read = { lines: string[]; position: Position; more: boolean };

const namePattern = /^(.+)\.log(?:\.([1-9]))?$/;
const headBytes = 128;
const readBytesMax = 256 * 1024;
const newline = 10;

/** Oldest first within a service, each once. Empty when there is no such folder. */
export async function logFilesOf(folder: string): Promise<LogFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = new Map<number, LogFile>();
  for (const name of names) {
    const [, service, age = '0'] = namePattern.exec(name) ?? [];
    if (service === undefined) continue;
    const path = join(folder, name);
    const found = await withFile(path, async (file) => {
      const stats = await file.stat();
      return stats.isFile() ? { stats, head: await headOf(file) } : undefined;
    });
    if (found === undefined) continue;
    const { ino: inode, size } = found.stats;
    // A file that is renamed meanwhile is met under both names.
    files.set(inode, { service, age: Number(age), path, size, inode, head: found.head });
  }
  return [...files.values()].sort((a, b) => a.service.localeCompare(b.service) || b.age - a.age);
}

/** Where it was left, if it is the same file still; else its beginning. */
export function positionIn(file: LogFile, known: readonly Position[]): Position {
  const { inode, head, size } = file;
  const found = known.find(
    (position) =>
      position.inode === inode && position.offset <= size && head.startsWith(position.head),
  );
  return { inode, head, offset: found?.offset ?? 0 };
}

/**
 * The next whole lines, about a quarter of a megabyte. A line that is longer than that is cut into
 * pieces. Undefined when the file is gone, or is another one by now.
 */
export async function readLines(file: LogFile, position: Position): Promise<Read | undefined> {
  return await withFile(file.path, async (handle) => {
    const { ino, size } = await handle.stat();
    if (ino !== file.inode || size < position.offset) return undefined;
    const buffer = Buffer.allocUnsafe(Math.min(readBytesMax, Math.max(1, size - position.offset)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position.offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(newline) + 1;
    const used = end === 0 && bytesRead === readBytesMax ? bytesRead : end;
    const text = buffer.toString('utf8', 0, used);
    const offset = position.offset + used;
    return {
      lines: text.split(/\r?\n/).filter((line) => line !== ''),
      position: { inode: position.inode, head: position.head, offset },
      more: used > 0 && offset < size,
    };
  });
}

/** Undefined when it went away, which a rotation does at any time. */
async function withFile<T>(
  path: string,
  use: (file: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') return undefined;
    throw error;
  }
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Only whole lines are written, so a file that has anything has a beginning that stays. */
async function headOf(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(buffer, 0, headBytes, 0);
  return buffer.toString('latin1', 0, bytesRead);
}
