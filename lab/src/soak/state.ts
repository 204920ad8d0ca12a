// What a soak has seen so far, kept in a file so that it can be cut into as many runs as need be.
//
// S1. The file is written whole after each slice: whoever is killed loses one slice at most.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { BadCounts } from '@rushlight/auditor';

export type SliceRecord = {
  nth: number;
  /** Runs of the soak, from 0: each has a platform of its own. */
  run: number;
  seed: number;
  startedAt: string;
  durationS: number;
  orders: number;
  acknowledged: number;
  sold: number;
  kills: number;
  stops: number;
  bad: BadCounts;
  notChecked: number;
  /** Since the platform was started. */
  deadLetters: number;
  /** By part, shared pages counted once; what the system cannot tell is missing. */
  memoryMb: Record<string, number>;
  spared: string;
  violations: string[];
};

export type SoakState = { version: 1; seed: number; slices: SliceRecord[] };

/** @throws Error when the file is there and holds something else */
export function readState(path: string): SoakState | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const state = parse(text) as Partial<SoakState> | undefined;
  if (state?.version === 1 && Number.isInteger(state.seed) && Array.isArray(state.slices)) {
    return state as SoakState;
  }
  throw new Error(`${path} is not the state of a soak. Move it away, or choose another --state.`);
}

export function writeState(path: string, state: SoakState): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
}

export function soakedMinutes({ slices }: SoakState): number {
  return slices.reduce((sum, { durationS }) => sum + durationS, 0) / 60;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
