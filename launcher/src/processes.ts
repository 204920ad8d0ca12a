// What the operating system says about processes. On Linux it is read from /proc, on macOS from ps.
//
// P1. A pid alone names nobody: pids are used again. A process is its pid and its start.
// P2. A zombie counts as gone: it runs nothing any more and waits only for its parent.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const onLinux = process.platform === 'linux';

/** A process that cannot be mistaken for a later one with the same pid. */
export type ProcessIdentity = { readonly pid: number; readonly start: string };

/** One way to end a process: a signal, and how long to wait for its effect. */
export type EndStep = { readonly signal: NodeJS.Signals; readonly waitMs: number };

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The process is gone, or is not ours to look at.
  }
}

function ps(...options: string[]): string {
  return spawnSync('ps', options, { encoding: 'utf8', timeout: 5_000 }).stdout ?? '';
}

type Stat = { state: string; parentPid: number; startTicks: string };

function statOf(pid: number): Stat | undefined {
  const text = readOrUndefined(`/proc/${pid}/stat`);
  // The name in parentheses may itself hold spaces and parentheses; what follows the last one is plain.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, startTicks] = [fields?.[0], fields?.[1], fields?.[19]];
  if (state === undefined || startTicks === undefined) return undefined;
  return { state, parentPid: Number(parentPid), startTicks };
}

/** When this process started, as text that no later process with the same pid repeats. */
export function startOf(pid: number): string | undefined {
  if (onLinux) {
    const stat = statOf(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    return `${(readOrUndefined('/proc/sys/kernel/random/boot_id') ?? '').trim()}/${stat.startTicks}`;
  }
  const [state = '', ...start] = ps('-o', 'stat=,lstart=', '-p', String(pid)).trim().split(/\s+/);
  return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
}

export function identityOf(pid: number): ProcessIdentity | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : { pid, start };
}

export function isRunning({ pid, start }: ProcessIdentity): boolean {
  return startOf(pid) === start;
}

/** The command line, arguments parted by spaces; empty when the process is gone. */
export function commandOf(pid: number): string {
  if (!onLinux) return ps('-o', 'command=', '-p', String(pid)).trim();
  return (readOrUndefined(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export function childrenOf(pid: number): number[] {
  if (onLinux) return allPids().filter((child) => statOf(child)?.parentPid === pid);
  const pairs = ps('-A', '-o', 'pid=,ppid=')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return pairs.filter(([, parent]) => parent === String(pid)).map(([child]) => Number(child));
}

/** Processes that work in this folder. Only Linux tells; elsewhere there are none to be seen. */
export function processesIn(folder: string): number[] {
  if (!onLinux) return [];
  return allPids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });
}

/** Megabytes that these processes hold, pages shared by several counted once where Linux tells. */
export function memoryMbOf(pids: readonly number[]): number | null {
  const kilobytes = onLinux ? pids.map(proportionalKb) : residentKb(pids);
  const known = kilobytes.filter((kb) => kb !== undefined);
  if (known.length === 0) return null;
  return Math.round(known.reduce((sum, kb) => sum + kb, 0) / 102.4) / 10;
}

function proportionalKb(pid: number): number | undefined {
  const rollup = readOrUndefined(`/proc/${pid}/smaps_rollup`);
  const status = rollup ?? readOrUndefined(`/proc/${pid}/status`);
  const kilobytes = /^(?:Pss|VmRSS):\s+(\d+) kB/m.exec(status ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes);
}

function residentKb(pids: readonly number[]): number[] {
  const lines = ps('-o', 'rss=', '-p', pids.join(',')).trim().split('\n');
  return lines.filter((line) => line.trim() !== '').map(Number);
}

/** Sends a signal. False when there is nobody to take it. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // Gone already, which is what most signals are sent for.
  }
}

/**
 * Ends a process that is not our child: each step's signal, then a wait for its effect.
 *
 * @returns whether it is gone
 */
export async function endProcess(
  target: ProcessIdentity,
  steps: readonly EndStep[],
): Promise<boolean> {
  for (const step of steps) {
    if (!isRunning(target)) return true;
    signal(target.pid, step.signal);
    signal(target.pid, 'SIGCONT'); // A stopped process takes a signal only once it goes on.
    const deadlineMs = performance.now() + step.waitMs;
    while (isRunning(target) && performance.now() < deadlineMs) await sleep(20);
  }
  return !isRunning(target);
}

/** Ends every process that works in this folder; returns whether there was one. */
export async function endAllIn(folder: string, steps: readonly EndStep[]): Promise<boolean> {
  const left = processesIn(folder).flatMap((pid) => identityOf(pid) ?? []);
  await Promise.all(left.map((found) => endProcess(found, steps)));
  return left.length > 0;
}
