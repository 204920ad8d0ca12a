// A Redis of this machine as a part: a cache, so its memory is bounded and nothing is on the disk.
//
// Its configuration goes in through a pipe: a password in the arguments is one that all can read.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RotatedLog } from '../logs.ts';
import { Part, type PartEvent, restartPolicy } from '../part.ts';
import { giveTo, userOfServers } from '../postgres/place.ts';
import { type EndStep, endAllIn, processesIn, signal } from '../processes.ts';
import { findProgram } from './programs.ts';

const stopSteps: readonly EndStep[] = [
  { signal: 'SIGTERM', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

const readyPollMs = 25;
const pingMsMax = 1_000;
const memoryMbDefault = 64;

// Whoever uses it does without it for so long; a start takes it a moment.
const policy = { ...restartPolicy, delayMsMax: 500 };

export type RedisOptions = {
  /** What findRedis gave. */
  program: string;
  /** Its own: whatever works in there is taken for a server that an earlier start left behind. */
  folder: string;
  port: number;
  password: string;
  log: RotatedLog;
  onEvent(event: PartEvent): void;
  memoryMb?: number;
};

/** The path of redis-server. Throws LaunchError where it is not installed. */
export function findRedis(): string {
  return findProgram('redis-server', 'redis-server');
}

export function redisUrl(port: number, password: string): string {
  return `redis://default:${encodeURIComponent(password)}@127.0.0.1:${port}`;
}

/** The part, not yet started. */
export function redisPart(options: RedisOptions): Part {
  const { folder, port, password, onEvent } = options;
  return new Part({
    name: 'redis',
    policy,
    stopSteps,
    spawn: () => {
      for (const pid of processesIn(folder)) signal(pid, 'SIGKILL');
      return spawnServer(options);
    },
    ready: async (_child, gone) => {
      for (;;) {
        gone.throwIfAborted();
        if (await answers(port, password)) return;
        await sleep(readyPollMs);
      }
    },
    onEvent,
  });
}

/** Ends the server that an earlier launcher left behind in this folder. */
export function endOrphanedRedis(folder: string): Promise<boolean> {
  return endAllIn(folder, stopSteps);
}

function spawnServer({ program, folder, log, ...options }: RedisOptions): ChildProcess {
  const user = userOfServers();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  giveTo(user, folder);
  const child = spawn(program, ['-'], {
    cwd: folder,
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is for us alone, and we stop things in order.
    detached: true,
    ...user,
  });
  child.stdin.on('error', () => undefined); // It died first, which its exit tells.
  child.stdin.end(configurationOf(options));
  for (const stream of [child.stdout, child.stderr]) void log.follow(stream);
  return child;
}

function configurationOf(options: Pick<RedisOptions, 'port' | 'password' | 'memoryMb'>): string {
  const settings = {
    bind: '127.0.0.1',
    port: options.port,
    'protected-mode': 'yes',
    requirepass: `"${options.password}"`,
    daemonize: 'no',
    // A cache: full, it forgets what was used longest ago; restarted, it is empty.
    maxmemory: `${options.memoryMb ?? memoryMbDefault}mb`,
    'maxmemory-policy': 'allkeys-lru',
    save: '""',
    appendonly: 'no',
    'tcp-keepalive': 30,
    loglevel: 'notice',
    'always-show-logo': 'no',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `${lines.join('\n')}\n`;
}

/** Whether a Redis with this password answers there. It loads nothing, so a first answer is enough. */
function answers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(pingMsMax, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('+PONG')) end(true);
    });
    socket.write(`AUTH ${password}\r\nPING\r\n`);
  });
}
