// `npm run servers`: it gives a command its servers, and leaves nothing behind, however it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { descendantsOf, isRunning } from '../src/processes.ts';
import { missingPrograms } from '../src/programs.ts';

const main = fileURLToPath(new URL('../../launcher/src/servers-main.ts', import.meta.url));
const missing = missingPrograms(['redis-server']);
for (const folder of ['/usr/lib/postgresql', '/usr/lib/rabbitmq']) {
  if (!existsSync(folder)) missing.push(folder);
}
const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-servers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run whose temporary folders are in one of ours, so that what is left can be seen. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  const own = mkdtempSync(join(folder, 'run-'));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, TMPDIR: own, OUT: join(own, 'out'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });
  }
  const ended = new Promise<number | string>((done) => {
    child.once('close', (code, signal) => done(signal ?? code ?? -1));
  });
  const left = (): string[] => readdirSync(own).filter((name) => name !== 'out');
  return { child, ended, said: () => said, out: join(own, 'out'), left };
}

/** Waits until the command runs; the processes that are there then. */
async function running(started: { child: ChildProcess; out: string; said(): string }) {
  await eventually('the command runs', () => existsSync(started.out), { deadlineMs: 60_000 });
  return descendantsOf(started.child.pid ?? 0);
}

async function expectNothingLeft(pids: readonly number[], left: () => string[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(2);
  const gone = (): boolean => pids.every((pid) => !isRunning(pid)) && left().length === 0;
  await eventually('nothing is left', gone, { deadlineMs: 30_000 });
}

const only = ['--only', 'redis,postgres'];
const stays = ['sh', '-c', 'echo up > "$OUT.new" && mv "$OUT.new" "$OUT"; exec sleep 600'];

describe.skipIf(missing.length > 0)(`npm run servers (missing: ${missing.join(', ')})`, () => {
  test('a command finds the servers in its environment, and its exit code is passed on', async () => {
    const script =
      'echo "$RUSHLIGHT_CACHE_URL $RUSHLIGHT_POSTGRES_URL $RUSHLIGHT_BUS_URL" > "$OUT"; exit 7';
    const started = run(['sh', '-c', script]);
    expect(await started.ended, started.said()).toBe(7);
    expect(readFileSync(started.out, 'utf8')).toMatch(
      /^redis:\/\/default:[\w-]+@127\.0\.0\.1:\d+ postgres:\/\/rushlight:[\w-]+@127\.0\.0\.1:\d+\/postgres amqp:\/\/rushlight:[\w-]+@127\.0\.0\.1:\d+\/\n$/,
    );
    expect(started.left()).toEqual([]);
  });

  test('a killed command ends everything', async () => {
    const started = run([...only, ...stays]);
    const pids = await running(started);
    const command = pids.find((pid) => commandLine(pid).startsWith('sleep 600'));
    process.kill(command ?? -1, 'SIGKILL');
    expect(await started.ended).toBe(137);
    await expectNothingLeft(pids, started.left);
  });

  test('SIGTERM ends the command and everything', async () => {
    const started = run([...only, ...stays]);
    const pids = await running(started);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(143);
    await expectNothingLeft(pids, started.left);
  });

  test('where it is killed itself, the servers end all the same', async () => {
    const started = run([...only, ...stays]);
    const pids = await running(started);
    started.child.kill('SIGKILL');
    const command = pids.filter((pid) => commandLine(pid).startsWith('sleep 600'));
    for (const pid of command) process.kill(pid, 'SIGKILL'); // That one is not theirs to end.
    await expectNothingLeft(pids, started.left);
  });

  test('without a command it says where they are and waits', async () => {
    const started = run(['--only', 'redis']);
    await eventually('it is ready', () => started.said().includes('ready'), { deadlineMs: 60_000 });
    expect(started.said()).toMatch(/^RUSHLIGHT_CACHE_URL=redis:\S+$/m);
    started.child.kill('SIGINT');
    expect(await started.ended).toBe(0);
    expect(started.left()).toEqual([]);
  });

  test('what is not installed is told in a line with its package', async () => {
    const started = run(['--only', 'redis', 'true'], { PATH: folder });
    expect(await started.ended).toBe(1);
    expect(started.said()).toContain('apt-get install redis-server\n');
    expect(started.left()).toEqual([]);
  });
});

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // Gone meanwhile.
  }
}
