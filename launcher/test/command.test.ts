// The command as a person runs it: in a terminal's process group, under npm, killed, and restarted.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../src/ports.ts';
import { identityOf } from '../src/processes.ts';
import { processesWith, temporaryFolder, until } from './support.ts';

const command = fileURLToPath(new URL('./fake-command.ts', import.meta.url));

type Started = { child: ChildProcess; output(): string; ended: Promise<number | string | null> };

function follow(child: ChildProcess): Started {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  onTestFinished(() => void child.kill('SIGTERM'));
  const ended = once(child, 'close').then(([code, signal]) => signal ?? code);
  return { child, output: () => output, ended };
}

/** Starts the command at the head of a process group, as a shell with a terminal does. */
function start(data: string, port: number, ...options: string[]): Started {
  const line = [command, '--data', data, '--port', String(port), ...options];
  const env = { PATH: process.env['PATH'] };
  return follow(spawn(process.execPath, line, { cwd: data, env, detached: true }));
}

const isReady = ({ output }: Started) => until('ready', () => /^ready in /m.test(output()), 25_000);
const port = () => findFreePort(new Set(), '127.0.0.1');
const nothingIsLeft = (data: string) => {
  expect(processesWith(data)).toEqual([]);
  expect(existsSync(join(data, 'lock'))).toBe(false);
};

const childrenOf = (data: string): { name: string; pid: number }[] =>
  JSON.parse(readFileSync(join(data, 'children.json'), 'utf8'));
const pidOf = (data: string, name: string): number =>
  childrenOf(data).find((child) => child.name === name)?.pid ?? 0;

/** Every process of a platform, services found by their recorded pids. */
function pidsOf(data: string): number[] {
  const children = childrenOf(data);
  const postmaster = readFileSync(join(data, 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
  return [...children.map(({ pid }) => pid), Number(postmaster.split('\n')[0])];
}

/** A zombie, which waits only for its parent to look, is not there any more. */
const isThere = (pid: number): boolean => identityOf(pid) !== undefined;

test('Ctrl-C in the terminal stops all of it in order, and nobody is reported as dead', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, await port());
  await isReady(run);
  const pids = pidsOf(folder.path);
  expect(run.output()).toContain('student1 / password123');
  expect(run.output()).not.toContain('\u001b');
  process.kill(-(run.child.pid ?? 0), 'SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/Ctrl-C: stopping.*\nstopped\n$/);
  expect(run.output()).not.toContain('died');
  expect(pids.filter(isThere)).toEqual([]);
  nothingIsLeft(folder.path);
  const log = readFileSync(join(folder.path, 'logs', 'orders.log'), 'utf8');
  expect(log).toContain('SIGTERM: draining');
});

test('a death and a return are one line each', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, await port());
  await isReady(run);
  process.kill(pidOf(folder.path, 'identity'), 'SIGKILL');
  await until('the return', () => /^identity is back after \d\.\d s$/m.test(run.output()));
  expect(run.output()).toContain('identity died (SIGKILL), starting again\n');
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
  nothingIsLeft(folder.path);
});

test('after kill -9 of the launcher the next start ends what is left and goes on', async () => {
  using folder = temporaryFolder();
  const first = start(folder.path, await port());
  await isReady(first);
  const pids = pidsOf(folder.path);
  // One that cannot even hear that the launcher is gone.
  process.kill(pidOf(folder.path, 'identity'), 'SIGSTOP');
  first.child.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  expect(existsSync(join(folder.path, 'lock'))).toBe(true);
  const second = start(folder.path, await port());
  await isReady(second);
  expect(second.output()).toMatch(/^ended what an earlier start left: .*identity.*postgres$/m);
  expect(pids.filter(isThere)).toEqual([]);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  nothingIsLeft(folder.path);
});

test('two shops side by side: one has the port of OTLP, the other is told of its own', async () => {
  using one = temporaryFolder();
  using two = temporaryFolder();
  const otlp = String(await port());
  const env = { PATH: process.env['PATH'], RUSHLIGHT_MONITOR_OTLP_PORT: otlp };
  const runs = [];
  for (const { path } of [one, two]) {
    const line = [command, '--data', path, '--port', String(await port())];
    runs.push(follow(spawn(process.execPath, line, { cwd: path, env })));
  }
  await Promise.all(runs.map(isReady));
  const urls = runs.map((run) => /^OTLP +(http:\S+) +(?:up|starting)$/m.exec(run.output())?.[1]);
  expect(new Set(urls).size).toBe(2);
  const warned = runs.filter((run) => run.output().includes(`Port ${otlp} for OTLP is taken`));
  expect(warned).toHaveLength(1);
  expect(urls).toContain(`http://127.0.0.1:${otlp}`);
  for (const run of runs) {
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  }
});

test('a monitor that does not start is told with its last words, and the shop is open', async () => {
  using folder = temporaryFolder();
  const line = [command, '--data', folder.path, '--port', String(await port())];
  const env = { PATH: process.env['PATH'], RUSHLIGHT_MONITOR_FAKE_MODE: 'bad-config' };
  const run = follow(spawn(process.execPath, line, { cwd: folder.path, env }));
  await isReady(run);
  expect(run.output()).toMatch(/monitor does not start.*\nRUSHLIGHT_MONITOR_FAKE_MODE is wrong\n/);
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
  nothingIsLeft(folder.path);
});

test('a second Ctrl-C does not wait for anybody', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, await port());
  await isReady(run);
  const pids = pidsOf(folder.path);
  // It would hold up an orderly stop for as long as it is allowed to.
  process.kill(pidOf(folder.path, 'identity'), 'SIGSTOP');
  run.child.kill('SIGINT');
  await until('the first one heard', () => run.output().includes('stopping'));
  // Until it is taken as a second one, and not as npm's echo of the first.
  const areGone = (): boolean => {
    run.child.kill('SIGINT');
    return pids.filter(isThere).length === 0;
  };
  // An orderly stop would wait 10 s for the one that stands still.
  await until('the end of all', areGone, 9_000);
  await run.ended;
  nothingIsLeft(folder.path);
});

test('Ctrl-C during the start gives it up', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, await port());
  await until('Postgres', () => existsSync(join(folder.path, 'logs', 'postgres.log')));
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
  nothingIsLeft(folder.path);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
  'npm start that is ended by %s leaves no process and no lock',
  async (name) => {
    using folder = temporaryFolder();
    const shop = join(folder.path, 'shop');
    mkdirSync(shop);
    chmodSync(folder.path, 0o755);
    const line = `exec node ${command} --port ${await port()} --data ../data`;
    const manifest = { name: 'shop', scripts: { start: line } };
    writeFileSync(join(shop, 'package.json'), JSON.stringify(manifest));
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
    const run = follow(spawn('npm', ['start', '--silent'], { cwd: shop, env, detached: true }));
    await isReady(run);
    const pids = pidsOf(join(folder.path, 'data'));
    run.child.kill(name);
    expect(await run.ended).toBe(name === 'SIGINT' || name === 'SIGTERM' ? 0 : name);
    await until('the end of all', () => pids.filter(isThere).length === 0);
    await until('the lock', () => !existsSync(join(folder.path, 'data', 'lock')));
    expect(processesWith(folder.path)).toEqual([]);
  },
);

test('one Ctrl-C under npm is one, though it comes twice', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, await port());
  await isReady(run);
  const group = -(run.child.pid ?? 0);
  process.kill(group, 'SIGINT');
  process.kill(group, 'SIGINT');
  expect(await run.ended).toBe(0);
  expect(readFileSync(join(folder.path, 'logs', 'orders.log'), 'utf8')).toContain('draining');
  nothingIsLeft(folder.path);
});

test('all mistakes are told at once, before anything starts', async () => {
  using folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const line = [command, '--data', data, '--port', 'many', '--fast'];
  const env = { PATH: process.env['PATH'], RUSHLIGHT_LAB: 'perhaps' };
  const run = follow(spawn(process.execPath, line, { cwd: folder.path, env }));
  expect(await run.ended).toBe(1);
  expect(run.output().split('\n')).toHaveLength(4);
  for (const name of ['--fast', '--port', 'RUSHLIGHT_LAB']) expect(run.output()).toContain(name);
  expect(existsSync(data)).toBe(false);
});

test('without the lab the first admin password is shown once and kept nowhere', async () => {
  using folder = temporaryFolder();
  const identity = join(folder.path, 'services', 'identity');
  writeFileSync(join(folder.path, 'format.json'), '{"product":"rushlight","version":1}');
  mkdirSync(identity, { recursive: true });
  writeFileSync(join(identity, 'first-admin-password'), 'tulip-42\n');
  const run = start(folder.path, await port(), '--no-lab');
  await isReady(run);
  expect(run.output()).toContain('admin / tulip-42');
  expect(run.output()).not.toContain('password123');
  expect(existsSync(join(identity, 'first-admin-password'))).toBe(false);
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
});
