// What is left of a platform after it stopped: nothing, or the test says what.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Processes that work in this folder or below it, as `pid command`. Linux tells, others do not. */
export function processesBelow(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return pidsOf('/proc').flatMap((pid) => {
    try {
      const at = readlinkSync(`/proc/${pid}/cwd`);
      if (at !== folder && !at.startsWith(`${folder}/`)) return [];
      return isRunning(pid) ? [`${pid} ${commandOf(pid)}`] : [];
    } catch {
      return []; // Gone meanwhile.
    }
  });
}

/** A zombie counts as gone: it only waits for its parent to look. */
export function isRunning(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return state.trim() !== '' && !state.trim().startsWith('Z');
}

export function descendantsOf(pid: number): number[] {
  const pairs = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set<number>([pid]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [child = 0, parent = 0] of pairs) if (found.has(parent)) found.add(child);
  }
  found.delete(pid);
  return [...found];
}

export function commandOf(pid: number): string {
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

/** Megabytes of these processes, shared pages counted once; undefined where the system cannot tell. */
export function pssMbOf(pids: readonly number[]): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const kilobytes = pids.map((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
    } catch {
      return 0; // Gone meanwhile.
    }
  });
  return Math.round(kilobytes.reduce((sum, kb) => sum + kb, 0) / 1024);
}

/** An environment variable of another process of ours; undefined where the system does not show it. */
export function variableOf(pid: number, name: string): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    return undefined;
  }
}

function pidsOf(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
