// The engines of the compose file, as Debian has them, on free ports of this machine: with the
// commands, the configuration and the secrets that the compose file gives them.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import { findRabbitmq } from '@rushlight/launcher';
import { read, readCompose } from './compose.ts';
import { eventually } from './eventually.ts';
import { missingPrograms } from './programs.ts';

const compose = readCompose('compose.yml');
const upMsMax = 120_000;

export type Engine = { port: number; output(): string } & AsyncDisposable;

export const hasRedis = missingPrograms(['redis-server']).length === 0;
export const hasRabbitmq = findRabbitmq() !== undefined;

/** @param secrets what stands at /run/rushlight in its container */
export async function startRedis(secrets: string, folder: string, port: number): Promise<Engine> {
  const { entrypoint = [], command = [] } = compose.services['redis'] ?? {};
  const [program = '', ...words] = [...entrypoint, ...command].map((word) =>
    word.replace('/run/rushlight', secrets),
  );
  const here = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const child = spawn(program, [...words, ...here], { stdio: ['ignore', 'pipe', 'pipe'] });
  return await running('redis', child, port, () => child.kill('SIGKILL'));
}

export async function startRabbitmq(
  secrets: string,
  folder: string,
  port: number,
): Promise<Engine> {
  const { RABBITMQ_CONFIG_FILES: login = '' } = compose.services['rabbitmq']?.environment ?? {};
  const server = findRabbitmq()?.server ?? '';
  const [names, own, metrics] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(folder, { recursive: true });
  const text = read('deploy/rabbitmq/rabbitmq.conf')
    .replace('listeners.tcp.default = 5672', `listeners.tcp.default = 127.0.0.1:${port}`)
    // A disk that is nearly full is not what is tried here.
    .replace(/disk_free_limit.absolute = .*/, 'disk_free_limit.absolute = 50MB');
  writeFileSync(join(folder, 'rabbitmq.conf'), `${text}prometheus.tcp.port = ${metrics}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), read('deploy/rabbitmq/enabled_plugins'));
  writeFileSync(join(folder, '.erlang.cookie'), `only-for-${process.pid}`, { mode: 0o400 });
  const script = 'epmd -port "$1" -address 127.0.0.1 </dev/null >/dev/null 2>&1 & exec "$2"';
  const child = spawn('/bin/sh', ['-c', script, 'sh', String(names), server], {
    cwd: folder,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: folder,
      LANG: 'C.UTF-8',
      RABBITMQ_NODENAME: 'rabbit@localhost',
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_CONFIG_FILES: String(login).replace('/run/rushlight', secrets),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(folder, 'data'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_DIST_PORT: String(own),
      ERL_EPMD_PORT: String(names),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_ZFLAGS: '-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
      detached: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // A group, which its name server belongs to.
  });
  const engine = await running('rabbitmq', child, port, () =>
    process.kill(-(child.pid ?? 0), 'SIGKILL'),
  );
  await eventually('RabbitMQ tells of itself', () => isOpen(metrics), { deadlineMs: upMsMax });
  return engine;
}

async function running(
  name: string,
  child: ChildProcess,
  port: number,
  kill: () => void,
): Promise<Engine> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output = `${output}${chunk}`.slice(-8_000);
    });
  }
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) kill();
    await ended;
  };
  try {
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${output}`);
      return await isOpen(port);
    };
    await eventually(`${name} listens`, isUp, { deadlineMs: upMsMax, everyMs: 100 });
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return { port, output: () => output, [Symbol.asyncDispose]: stop };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** The first line of a secret. */
export function secretIn(folder: string, path: string): string {
  return readFileSync(join(folder, path), 'utf8').trim();
}
