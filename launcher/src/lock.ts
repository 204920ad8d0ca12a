// The lock of a data folder: one launcher at a time.
//
// L1. The file appears whole, by link(2), which fails when it exists: two starters, one winner.
// L2. It names its owner by pid and start, so neither a crash nor a reused pid keeps it for ever.
// L3. A stale lock is moved aside before a new one is made. Whoever moved aside a lock that was
//     not the stale one it had read puts it back and gives way.

import { linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeWhole } from './files.ts';
import { LaunchError } from './launch-error.ts';
import { identityOf, isRunning } from './processes.ts';

const Owner = z.object({ pid: z.int(), start: z.string(), since: z.string(), port: z.int() });
type Owner = z.infer<typeof Owner>;

export type Lock = {
  /** The owner before us died without unlocking, so its processes may still be there. */
  readonly wasStale: boolean;
  release(): void;
};

/**
 * Takes the lock of a data folder.
 *
 * @param port shown to whoever is refused
 * @throws LaunchError when a running launcher has it
 */
export function takeLock(dataFolder: string, port: number): Lock {
  const path = join(dataFolder, 'lock');
  const self = identityOf(process.pid);
  if (self === undefined) throw new LaunchError('The system does not tell when processes started.');
  const owner: Owner = { ...self, since: new Date().toISOString(), port };
  const text = JSON.stringify(owner);

  const wasStale = clearStale(path, dataFolder);
  const draft = `${path}.${process.pid}`;
  writeWhole(draft, text);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new LaunchError(`The data folder ${dataFolder} was taken by another start just now.`);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    wasStale,
    release: () => {
      if (readIfThere(path) === text) rmSync(path, { force: true });
    },
  };
}

/** Who runs on this data folder now; undefined when nobody does. */
export function ownerOf(dataFolder: string): Owner | undefined {
  const owner = parseOwner(readIfThere(join(dataFolder, 'lock')) ?? '');
  return owner !== undefined && isRunning(owner) ? owner : undefined;
}

function clearStale(path: string, dataFolder: string): boolean {
  const found = readIfThere(path);
  if (found === undefined) return false;
  refuseIfOwned(found, dataFolder);
  const aside = `${path}.stale.${process.pid}`;
  renameSync(path, aside);
  const moved = readIfThere(aside);
  if (moved !== undefined && moved !== found) {
    putBack(aside, path);
    refuseIfOwned(moved, dataFolder);
  }
  rmSync(aside, { force: true });
  return true;
}

function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}

function refuseIfOwned(text: string, dataFolder: string): void {
  const owner = parseOwner(text);
  if (owner === undefined || !isRunning(owner)) return;
  throw new LaunchError(
    `Rushlight already runs on ${dataFolder}: pid ${owner.pid}, port ${owner.port}, ` +
      `since ${owner.since}. Stop it, or choose another folder with --data DIR.`,
  );
}

function parseOwner(text: string): Owner | undefined {
  try {
    return Owner.parse(JSON.parse(text));
  } catch {
    return undefined; // Not a lock of ours; nobody can own it.
  }
}
