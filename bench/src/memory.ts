// Memory of processes and all their descendants, pages that they share counted once (PSS). Linux only.

import { readFileSync } from 'node:fs';
import { parentsOfAll } from './cpu.ts';

/** Megabytes; null where the system does not tell. */
export function memoryMbBelow(rootPid: number): number | null {
  if (process.platform !== 'linux') return null;
  const kilobytes = family(rootPid, parentsOfAll()).map(pssKb);
  return Math.round(kilobytes.reduce((sum, kb) => sum + kb, 0) / 1_024);
}

/** A process and all below it. @param parents the parent of each process */
export function family(rootPid: number, parents: ReadonlyMap<number, number>): number[] {
  const found = [rootPid];
  for (let at = 0; at < found.length; at++) {
    for (const [pid, parent] of parents) if (parent === found[at]) found.push(pid);
  }
  return found;
}

function pssKb(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0; // It is gone.
  }
}
