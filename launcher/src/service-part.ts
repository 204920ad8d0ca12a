// A service, or the monitor, as a part: Node running its main.ts, with everything it needs in its environment.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ProcessName, ServiceEnvironmentName } from '@rushlight/contracts';
import { z } from 'zod';
import type { RotatedLog } from './logs.ts';
import { Part, type PartEvent, type RestartPolicy, restartPolicy } from './part.ts';
import type { EndStep } from './processes.ts';

const stopSteps: readonly EndStep[] = [
  { signal: 'SIGTERM', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

/** Arguments for Node, beginning with those for the engine. */
export type ServiceCommand = (name: ProcessName) => readonly string[];

/** Where Node keeps what it compiled: with the checkout, so that a new data folder starts warm. */
export function compileCacheIn(dataCache: string): string {
  const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
  try {
    accessSync(modules, constants.W_OK);
    return `${modules}.cache/rushlight-compiled`;
  } catch {
    return `${dataCache}/compiled`; // A checkout that is not ours to write to.
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));

// In a rush thousands of requests are alive at once: a young generation of 32 MB copies them less often
// (8 % less processor time per order than the default; 128 MB cost more than twice as much). The old
// one is bounded so that a leak ends in a restart of one service and not of the laptop.
const engineOfService = ['--max-semi-space-size=32', '--max-old-space-size=256'];

// The monitor is quick enough with less: 70 MB are saved at rest, for 12 % of the spans it could take
// in a second. What it reads for one question is bounded, but more than a service ever holds.
const engineOfMonitor = ['--max-semi-space-size=8', '--max-old-space-size=512'];

/** Where its sources are; its command line contains this. */
export const sourceFolderOf = (name: string): string =>
  name === 'monitor' ? 'monitor' : `services/${name}`;

export const serviceCommand: ServiceCommand = (name) => [
  ...(name === 'monitor' ? engineOfMonitor : engineOfService),
  '--disable-warning=ExperimentalWarning',
  `${root}${sourceFolderOf(name)}/src/main.ts`,
];

export type ServicePartOptions = {
  name: ProcessName;
  /** What it is called as a part; it may be one of several processes of its service. */
  part: string;
  command: ServiceCommand;
  environment: Readonly<Partial<Record<ServiceEnvironmentName, string>>>;
  /** Settings of the service, by their full names. */
  settings: Readonly<Record<string, string>>;
  /** Handed down as the file descriptor `inheritedFd`. */
  sharedFd: number | undefined;
  folder: string;
  compileCache: string;
  log: RotatedLog;
  policy?: RestartPolicy;
  onEvent(event: PartEvent): void;
};

/** Behind the three streams and the channel. */
export const inheritedFd = 4;

/** The part, not yet started. */
export function servicePart(options: ServicePartOptions): Part {
  const { part, onEvent, policy = restartPolicy } = options;
  return new Part({
    name: part,
    policy,
    stopSteps,
    spawn: () => spawnService(options),
    ready: waitForReady,
    onEvent,
  });
}

function spawnService(options: ServicePartOptions): ChildProcess {
  const { name, command, environment, settings, sharedFd, folder, compileCache, log } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, command(name), {
    cwd: folder,
    env: { ...inherited(), NODE_COMPILE_CACHE: compileCache, ...settings, ...environment },
    // The channel closes when we die, however we die; the service then drains and ends.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...(sharedFd === undefined ? [] : [sharedFd])],
    // A group of its own: Ctrl-C in the terminal is for us alone, and we stop things in order.
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) if (stream) void log.follow(stream);
  return child;
}

const passedOn = ['PATH', 'HOME', 'TMPDIR', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];

function inherited(): NodeJS.ProcessEnv {
  const given = passedOn.map((name) => [name, process.env[name]] as const);
  return { TZ: 'UTC', ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) };
}

const Ready = z.looseObject({ type: z.literal('ready'), port: z.int() });

function waitForReady(child: ChildProcess, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    gone.addEventListener('abort', () => reject(gone.reason), { once: true });
    child.on('message', (message) => {
      if (Ready.safeParse(message).success) resolve();
    });
  });
}
