// How far each file was read, kept over restarts.
//
// A file that cannot be read is as good as none: everything is then read as if for the first time.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Position } from './log-files.ts';

const Offsets = z.object({
  /** The program ended in order, and what was read up to here is in the store. */
  complete: z.boolean(),
  positions: z.array(z.object({ inode: z.number(), head: z.string(), offset: z.number().min(0) })),
});

export type Offsets = { complete: boolean; positions: readonly Position[] };

/** @returns undefined when there are none */
export async function loadOffsets(path: string): Promise<Offsets | undefined> {
  try {
    return Offsets.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** All or nothing. */
export async function saveOffsets(path: string, offsets: Offsets): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(offsets), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
