// Processor time by process, read from /proc. Linux only: elsewhere nothing is measured.
//
// C1. Postgres is many processes: its backends are summed by database, its helpers by their name.
// C2. What a process used counts also when it ends between two readings: its parent, the
//     postmaster, then holds the sum, and what was counted before is taken off it.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds of one process so far. */
type Used = { name: string; us: number };
export type CpuReading = {
  byPid: ReadonlyMap<number, Used>;
  /** Of children of Postgres that have ended. */
  endedUs: number;
};

export type Stat = {
  parentPid: number;
  ticks: number;
  /** Of children that it has waited for. */
  childTicks: number;
};

/** A line of /proc/PID/stat. The name in parentheses may itself hold blanks and parentheses. */
export function parseStat(line: string): Stat | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [parentPid, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((at) =>
    Number(fields[at] ?? Number.NaN),
  );
  const numbers = [parentPid, user, system, childUser, childSystem];
  if (numbers.some((value) => value === undefined || !Number.isFinite(value))) return undefined;
  const [parent = 0, u = 0, s = 0, cu = 0, cs = 0] = numbers as number[];
  return { parentPid: parent, ticks: u + s, childTicks: cu + cs };
}

/** What a process of Postgres calls itself: the database of a backend, or the name of a helper. */
export function postgresRole(title: string): string {
  const what = /^postgres: (.*)$/.exec(title.trim())?.[1];
  if (what === undefined) return 'postgres postmaster';
  const backend = /^\S+ (\S+) \S+\(\d+\)/.exec(what);
  return `postgres ${backend?.[1] ?? what.trim()}`;
}

export const cpuIsKnown = process.platform === 'linux';

let usPerTick: number | undefined;

function tickUs(): number {
  usPerTick ??=
    1e6 / (Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100);
  return usPerTick;
}

/**
 * @param named processes that are counted each by itself
 * @param postgresPid its children are counted as well
 */
export function readCpu(named: ReadonlyMap<number, string>, postgresPid: number): CpuReading {
  const byPid = new Map<number, Used>();
  if (!cpuIsKnown) return { byPid, endedUs: 0 };
  let endedUs = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = /^\d+$/.test(name) ? statOf(pid) : undefined;
    if (stat === undefined) continue;
    if (pid === postgresPid) endedUs = stat.childTicks * tickUs();
    const isBackend = stat.parentPid === postgresPid;
    const label = isBackend ? postgresRole(commandOf(pid)) : named.get(pid);
    if (label !== undefined) byPid.set(pid, { name: label, us: stat.ticks * tickUs() });
  }
  return { byPid, endedUs };
}

/** The parent of every process there is. */
export function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined) parents.set(Number(name), stat.parentPid);
  }
  return parents;
}

/** Microseconds by name between two readings. */
export function cpuBetween(before: CpuReading, after: CpuReading): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, us: number): void => {
    sums.set(name, (sums.get(name) ?? 0) + us);
  };
  for (const [pid, { name, us }] of after.byPid) add(name, us - (before.byPid.get(pid)?.us ?? 0));
  let endedUs = after.endedUs - before.endedUs;
  for (const [pid, { name, us }] of before.byPid) {
    if (!after.byPid.has(pid) && name.startsWith('postgres ')) endedUs -= us;
  }
  if (endedUs > 0) add('postgres (ended meanwhile)', endedUs);
  return sums;
}

/** Microseconds of all of them for each of so many things done; null where it is not known. */
export function cpuUsEach(before: CpuReading, after: CpuReading, count: number): number | null {
  if (!cpuIsKnown || count === 0) return null;
  const sum = [...cpuBetween(before, after).values()].reduce((all, us) => all + us, 0);
  return sum / count;
}

function statOf(pid: number): Stat | undefined {
  const line = readOrEmpty(`/proc/${pid}/stat`);
  return line === '' ? undefined : parseStat(line);
}

function commandOf(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It is gone.
  }
}
