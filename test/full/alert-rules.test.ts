// The alert rules in Debian's Prometheus: the files that we hand out are what it reads, its promtool
// finds every example as the monitor does, and both say the same of a random hour, minute by minute.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@rushlight/chassis/testing';
import { alertHour } from '@rushlight/monitor/testing';
import { expect, onTestFinished, test } from 'vitest';
import { prometheusMissing } from '../src/prometheus.ts';
import { report } from '../src/report.ts';

const folder = new URL('../../deploy/prometheus/', import.meta.url).pathname;
const missing = prometheusMissing();
if (missing !== undefined) report(`alert rules in Prometheus: not run, because ${missing}`);
const beside = test.skipIf(missing !== undefined);

/** It evaluates every rule at every step of every example: seconds, or minutes beside other work. */
const promtoolMsMax = 280_000;
const limits = { timeout: 300_000 };

function promtool(...options: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', options, {
    cwd: folder,
    encoding: 'utf8',
    timeout: promtoolMsMax,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, said: `${stdout}${stderr}`.slice(0, 5_000) };
}

beside('Prometheus reads the rules', () => {
  const { status, said } = promtool('check', 'rules', 'rushlight.rules.yml');
  expect(said).toMatch(/SUCCESS: \d\d+ rules found/);
  expect(status).toBe(0);
});

beside.each(['rushlight.test.yml', 'rushlight-slo.test.yml'])(
  'Prometheus agrees with %s',
  (file) => {
    const { status, said } = promtool('test', 'rules', file);
    expect(said).toContain('SUCCESS');
    expect(status).toBe(0);
  },
);

/** The same on each run: what is compared here is compared with a program that does not change. */
const seeds = [2, 3];

beside.each(seeds)(
  'Prometheus and the monitor fire the same alerts in hour %d',
  limits,
  async (seed) => {
    const rules = join(folder, 'rushlight.rules.yml');
    const { promtoolTest, fired } = await alertHour(seededRandom(seed), rules);
    const temporary = mkdtempSync(join(tmpdir(), 'rushlight-hour-'));
    onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
    const file = join(temporary, 'hour.test.yml');
    writeFileSync(file, promtoolTest);
    const { status, said } = promtool('test', 'rules', file);
    report(`${fired.length} alerts fired in hour ${seed}: ${fired.join(', ')}`);
    expect(said).toContain('SUCCESS');
    expect(status).toBe(0);
    expect(fired.length).toBeGreaterThan(10);
  },
);
