import { expect, test } from 'vitest';
import { type CpuReading, cpuBetween, parseStat, postgresRole } from '../src/cpu.ts';
import { family } from '../src/memory.ts';

test('a line of /proc/PID/stat is read past a name with blanks and parentheses', () => {
  const line =
    '4242 (node (a) b) S 17 4242 4242 0 -1 4194560 900 0 1 0 120 30 7 2 20 0 11 0 5150 1 2 3';
  expect(parseStat(line)).toEqual({ parentPid: 17, ticks: 150, childTicks: 9 });
});

test('a line that is cut short is no reading', () => {
  expect(parseStat('4242 (node) S 17 4242')).toBeUndefined();
  expect(parseStat('')).toBeUndefined();
});

test.each([
  ['postgres: orders orders 127.0.0.1(53122) idle', 'postgres orders'],
  ['postgres: payments provider 127.0.0.1(40000) COMMIT', 'postgres provider'],
  ['postgres: walwriter', 'postgres walwriter'],
  ['postgres: checkpointer ', 'postgres checkpointer'],
  ['/opt/bin/postgres -D /data', 'postgres postmaster'],
])('the process %s counts as %s', (title, role) => {
  expect(postgresRole(title)).toBe(role);
});

const reading = (endedUs: number, used: [number, string, number][]): CpuReading => ({
  byPid: new Map(used.map(([pid, name, us]) => [pid, { name, us }])),
  endedUs,
});

test('backends of one database are summed, and new ones count from nothing', () => {
  const before = reading(0, [
    [1, 'orders', 100],
    [2, 'postgres bus', 50],
  ]);
  const after = reading(0, [
    [1, 'orders', 400],
    [2, 'postgres bus', 80],
    [3, 'postgres bus', 20],
  ]);
  expect(cpuBetween(before, after)).toEqual(
    new Map([
      ['orders', 300],
      ['postgres bus', 50],
    ]),
  );
});

test('what a backend used counts also when it has ended', () => {
  const before = reading(1_000, [[2, 'postgres bus', 50]]);
  const after = reading(1_090, []);
  expect(cpuBetween(before, after)).toEqual(new Map([['postgres (ended meanwhile)', 40]]));
});

test('a family is a process and all below it', () => {
  const parents = new Map([
    [2, 1],
    [3, 2],
    [4, 1],
    [9, 8],
  ]);
  expect(family(1, parents).sort()).toEqual([1, 2, 3, 4]);
});
