// The soak: rushes on one platform with kills and stops of every part, each judged by the auditor. It
// is cut short and goes on from its file.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runSoak } from '../src/command.ts';
import { eventually } from '../src/eventually.ts';
import { isRunning } from '../src/processes.ts';
import { newSeed, report } from '../src/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'rushlight-soak-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sliceMsMax = 200_000;
const stoppedCode = 130;

test('a soak keeps every promise; stopped in between, it goes on where it was', async () => {
  const seed = newSeed('soak');
  const file = join(folder, 'soak.json');
  const options = ['--minutes', '1', '--seed', String(seed), '--state', file];
  const first = runSoak(options);
  const hasSlice = (): boolean => first.output().includes('slice 1 ·') || !isRunning(first.pid);
  await eventually('a slice is over', hasSlice, { deadlineMs: sliceMsMax, everyMs: 200 });
  first.child.kill('SIGTERM');
  expect(await first.ended(60_000), first.output()).toBe(stoppedCode);
  const { slices } = JSON.parse(readFileSync(file, 'utf8'));
  expect(slices).toHaveLength(1);

  const second = runSoak(options);
  const code = await second.ended(4 * sliceMsMax);
  for (const line of second.output().trim().split('\n')) report(line);
  expect(code, second.output()).toBe(0);
  const state = JSON.parse(readFileSync(file, 'utf8'));
  expect(state.slices[0]).toEqual(slices[0]);
  expect(state.slices.map(({ nth }: { nth: number }) => nth)).toEqual([...state.slices.keys()]);
  expect(new Set(state.slices.map(({ run }: { run: number }) => run))).toEqual(new Set([0, 1]));
}, 1_000_000);
