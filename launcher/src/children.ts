// Who our children are, written down, so that the next launcher can end them if we are killed.

import { rmSync } from 'node:fs';
import { z } from 'zod';
import { readIfThere, writeWhole } from './files.ts';
import { commandOf, type EndStep, endProcess, identityOf, isRunning } from './processes.ts';
import { sourceFolderOf } from './service-part.ts';

const Child = z.object({ name: z.string(), pid: z.int().min(2), start: z.string() });
type Child = z.infer<typeof Child>;

const endSteps: readonly EndStep[] = [
  { signal: 'SIGTERM', waitMs: 9_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

/** The record of one launcher's children, kept in step with a file. */
export class ChildrenFile {
  readonly #path: string;
  readonly #children = new Map<string, Child>();

  constructor(path: string) {
    this.#path = path;
  }

  add(name: string, pid: number): void {
    const identity = identityOf(pid);
    if (identity === undefined) return; // It has died already.
    this.#children.set(name, { name, ...identity });
    this.#write();
  }

  delete(name: string): void {
    if (this.#children.delete(name)) this.#write();
  }

  remove(): void {
    this.#children.clear();
    rmSync(this.#path, { force: true });
  }

  #write(): void {
    try {
      writeWhole(this.#path, JSON.stringify([...this.#children.values()]));
    } catch {
      // A full disk must not end what sells; the services hear for themselves when we are gone.
    }
  }
}

/**
 * Ends the services that an earlier launcher left behind.
 *
 * @returns the names of those that were still there
 */
export async function endOrphans(path: string): Promise<string[]> {
  const orphans = readChildren(path).filter(
    (child) => isRunning(child) && commandOf(child.pid).includes(sourceFolderOf(child.name)),
  );
  await Promise.all(orphans.map((orphan) => endProcess(orphan, endSteps)));
  rmSync(path, { force: true });
  return orphans.map(({ name }) => name);
}

function readChildren(path: string): Child[] {
  try {
    return z.array(Child).parse(JSON.parse(readIfThere(path) ?? '[]'));
  } catch {
    return []; // Cut short by a crash of the machine, which ended the children as well.
  }
}
