// A RabbitMQ of this machine as a part, on ports and in a folder of its own.
//
// It runs as whoever we are. The programs in Debian's /usr/sbin want to be root and turn into the
// user `rabbitmq`; those that they call do not mind, and are what is used here.
//
// Q1. The child is the Erlang machine itself: a signal to it reaches the broker, and no script.
// Q2. Its node name is always the same, so a restart finds its data again, on whatever host name.
// Q3. Erlang's name server (epmd) is in the process group of the broker, and ends with it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere, writeWhole } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import type { RotatedLog } from '../logs.ts';
import { Part, type PartEvent, restartPolicy } from '../part.ts';
import { type EndStep, endAllIn, processesIn, signal } from '../processes.ts';
import { programIn } from './programs.ts';

/** SIGTERM: it closes its connections and its files. SIGKILL: what was confirmed is still there. */
const stopSteps: readonly EndStep[] = [
  { signal: 'SIGTERM', waitMs: 15_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

const readyPollMs = 50;
const answerMsMax = 1_000;
const controlMsMax = 60_000;
const user = 'rushlight';
const nodeName = 'rabbit@localhost';
/** Debian's first; then those of other packages, without wrappers. */
const programFolders = ['/usr/lib/rabbitmq/bin', '/opt/rabbitmq/sbin', '/opt/homebrew/sbin'];
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin';

const startScript = 'epmd -port "$1" -address 127.0.0.1 </dev/null >/dev/null 2>&1 & exec "$2"';

// Everybody's messages wait for it, and a start takes it seconds.
const policy = { ...restartPolicy, delayMsMax: 500, readyMsMax: 120_000 };

export type RabbitmqPrograms = { server: string; control: string };

export type RabbitmqPorts = {
  /** Where clients connect. */
  amqp: number;
  /** Where its own tools connect. */
  distribution: number;
  names: number;
};

export type RabbitmqOptions = {
  /** What findRabbitmq gave. */
  programs: RabbitmqPrograms;
  /** Its own: whatever works in there is taken for a server that an earlier start left behind. */
  folder: string;
  ports: RabbitmqPorts;
  /** Letters, digits, `-` and `_`. It holds from the first start on, as long as the data are kept. */
  password: string;
  log: RotatedLog;
  onEvent(event: PartEvent): void;
};

/** Where the programs are, or undefined where RabbitMQ is not installed. */
export function findRabbitmq(): RabbitmqPrograms | undefined {
  const server = programIn('rabbitmq-server', programFolders);
  const control = programIn('rabbitmqctl', programFolders);
  return server === undefined || control === undefined ? undefined : { server, control };
}

export function rabbitmqUrl(port: number, password: string, virtualHost = ''): string {
  return `amqp://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(virtualHost)}`;
}

/** The part, not yet started. */
export function rabbitmqPart(options: RabbitmqOptions): Part {
  const { folder, ports, password, onEvent } = options;
  if (!/^[\w-]+$/.test(password)) {
    throw new LaunchError('The password of RabbitMQ may have letters, digits, - and _ only.');
  }
  return new Part({
    name: 'rabbitmq',
    policy,
    stopSteps,
    spawn: () => {
      for (const pid of processesIn(folder)) signal(pid, 'SIGKILL');
      return spawnServer(options);
    },
    ready: async (_child, gone) => {
      for (;;) {
        gone.throwIfAborted();
        if (await greets(ports.amqp)) return;
        await sleep(readyPollMs);
      }
    },
    onEvent,
  });
}

/** Ends the server that an earlier launcher left behind in this folder. */
export function endOrphanedRabbitmq(folder: string): Promise<boolean> {
  return endAllIn(folder, stopSteps);
}

/**
 * Runs rabbitmqctl on a server that was started here.
 *
 * @returns what it said
 * @throws Error with what it said, when it failed
 */
export function rabbitmqctl(
  { programs, folder, ports }: Pick<RabbitmqOptions, 'programs' | 'folder' | 'ports'>,
  ...args: readonly string[]
): string {
  const { status, stdout, stderr } = spawnSync(programs.control, ['--quiet', ...args], {
    cwd: '/',
    env: environmentOf(folder, ports),
    encoding: 'utf8',
    timeout: controlMsMax,
  });
  if (status !== 0) throw new Error(`rabbitmqctl ${args[0]}: ${stdout ?? ''}${stderr ?? ''}`);
  return stdout;
}

function spawnServer({ programs, folder, ports, password, log }: RabbitmqOptions): ChildProcess {
  writeFiles(folder, ports, password);
  const args = ['-c', startScript, 'sh', String(ports.names), programs.server];
  const child = spawn('/bin/sh', args, {
    cwd: folder,
    env: environmentOf(folder, ports),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is for us alone, and we stop things in order.
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) child.once('exit', () => void signal(-pid, 'SIGKILL'));
  for (const stream of [child.stdout, child.stderr]) void log.follow(stream);
  return child;
}

function writeFiles(folder: string, ports: RabbitmqPorts, password: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const configuration = {
    'listeners.tcp.1': `127.0.0.1:${ports.amqp}`,
    default_user: user,
    default_pass: password,
    'log.console': 'true',
    'log.console.level': 'info',
    'log.connection.level': 'warning',
    'log.file': 'false',
  };
  const lines = Object.entries(configuration).map(([name, value]) => `${name} = ${value}`);
  writeWhole(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  writeWhole(join(folder, 'enabled_plugins'), '[].\n');
  const cookie = join(folder, '.erlang.cookie');
  if (!existsSync(cookie) || readIfThere(cookie) === '') {
    writeFileSync(cookie, randomBytes(24).toString('hex'), { mode: 0o400 });
  }
}

/** What the server and its tools find in their environment: nothing of ours. */
function environmentOf(folder: string, ports: RabbitmqPorts): Record<string, string> {
  return {
    PATH: path,
    HOME: folder,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_ZFLAGS: '-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_CRASH_DUMP_SECONDS: '0',
    // Its script then turns into the server (Q1) instead of waiting for it.
    detached: '1',
  };
}

/** Whether a broker answers there: it speaks first once it hears the name of the protocol. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(answerMsMax, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (chunk) => end(chunk[0] === 1)); // A method, as opposed to "AMQP".
    socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  });
}
