// What many runs come to, kept in a file so that a million of them may be made in slices.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Outcome } from './run.ts';

const Totals = z.object({
  /** The seed to go on with. */
  nextSeed: z.int().min(0),
  seeds: z.int().min(0),
  /** Runs that were made twice, to the same hash. */
  repeated: z.int().min(0),
  failingSeeds: z.array(z.int()),
  faults: z.record(z.string(), z.int()),
  orders: z.int().min(0),
  virtualHours: z.number().min(0),
  wallS: z.number().min(0),
  cpuS: z.number().min(0),
});
export type Totals = z.infer<typeof Totals>;

const msPerHour = 3_600_000;

export function emptyTotals(nextSeed: number): Totals {
  return {
    ...{ nextSeed, seeds: 0, repeated: 0, failingSeeds: [], faults: {}, orders: 0 },
    ...{ virtualHours: 0, wallS: 0, cpuS: 0 },
  };
}

export function addOutcome(totals: Totals, outcome: Outcome): void {
  totals.seeds += 1;
  totals.nextSeed = outcome.seed + 1;
  totals.orders += outcome.orders;
  totals.virtualHours += outcome.virtualMs / msPerHour;
  for (const [kind, count] of outcome.faults) {
    totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  }
  if (outcome.findings.length > 0) totals.failingSeeds.push(outcome.seed);
}

export function faultsOf({ faults }: Totals): number {
  return Object.values(faults).reduce((sum, count) => sum + count, 0);
}

/** @throws Error for a file that is not one of ours */
export function readTotals(file: string): Totals | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return Totals.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} holds no totals of this simulation: remove it, or name another.`, {
      cause,
    });
  }
}

/** All of it or nothing: a run that is stopped in the middle leaves the last slice readable. */
export function writeTotals(file: string, totals: Totals): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(totals, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}
