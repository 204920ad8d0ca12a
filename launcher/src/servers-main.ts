// npm run servers -- [options] [COMMAND [ARGS…]]
//
// S1. The exit code is that of COMMAND; 128 and the signal's number if a signal ended it.
// S2. Whatever ends us or COMMAND ends the servers, too.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type EngineName, engineNames } from '@rushlight/contracts';
import { Command, InvalidArgumentError } from 'commander';
import { isUnderNpm } from './config.ts';
import { LaunchError } from './launch-error.ts';
import { type Servers, startServers } from './servers.ts';

const parentPollMs = 250;
/** What the terminal sends reaches COMMAND as well; so long it may take to end by itself. */
const graceMs = 5_000;
const killMs = 5_000;

class Run {
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #told: NodeJS.Signals | undefined;
  #wake: () => void = () => undefined;

  constructor(command: readonly string[]) {
    this.#command = command;
  }

  async go(only: readonly EngineName[] | undefined, data: string | undefined): Promise<number> {
    const ended = this.#listen();
    await using servers = await startServers({ only, data, onPart: tellDeaths });
    if (this.#told === undefined) {
      if (this.#command.length === 0) await this.#print(servers, ended);
      else return await this.#runCommand(servers);
    }
    return this.#told === 'SIGINT' || this.#told === undefined ? 0 : codeOf(this.#told);
  }

  async #print(servers: Servers, ended: Promise<void>): Promise<void> {
    for (const [name, url] of Object.entries(servers.environment)) say(`${name}=${url}`);
    complain('ready; Ctrl-C stops them');
    await ended;
  }

  async #runCommand({ environment }: Servers): Promise<number> {
    const [program = '', ...args] = this.#command;
    const env = { ...process.env, ...environment };
    const child = spawn(program, args, { stdio: 'inherit', env });
    this.#child = child;
    return await new Promise((resolve) => {
      child.once('error', (error) => {
        complain(`${program}: ${error.message}`);
        resolve(127);
      });
      child.once('exit', (code, signal) => resolve(signal ? codeOf(signal) : (code ?? 1)));
    });
  }

  /** Resolves when somebody wants us to end. */
  #listen(): Promise<void> {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => this.#end(name));
    }
    if (isUnderNpm()) {
      const parent = process.ppid;
      setInterval(() => {
        if (process.ppid !== parent) this.#end('SIGTERM');
      }, parentPollMs).unref();
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(name: NodeJS.Signals): void {
    if (this.#told !== undefined) return;
    this.#told = name;
    this.#wake();
    const signal = (what: NodeJS.Signals): void => void this.#child?.kill(what);
    if (name !== 'SIGINT') signal(name);
    setTimeout(() => signal('SIGTERM'), graceMs).unref();
    setTimeout(() => signal('SIGKILL'), graceMs + killMs).unref();
  }
}

function codeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function tellDeaths(name: EngineName, event: { type: string; how?: string }): void {
  if (event.type === 'died') complain(`${name} died: ${event.how}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`servers: ${line}\n`);
}

function serversOf(list: string): EngineName[] {
  return list.split(',').map((given) => {
    const name = engineNames.find((known) => known === given.trim());
    if (name === undefined) throw new InvalidArgumentError(`Choose of ${engineNames.join(', ')}.`);
    return name;
  });
}

const command = new Command('servers')
  .description(
    'Starts RabbitMQ, Redis and Postgres of this system on free ports, runs COMMAND with their ' +
      'URLs in its environment, and stops them. Without COMMAND it prints the URLs and waits.',
  )
  .usage('[options] [COMMAND [ARGS…]]   (npm run servers -- …)')
  .argument('[command...]')
  .option('--only <names>', `some of ${engineNames.join(', ')}, with commas between`, serversOf)
  .option('--data <dir>', 'a folder to keep their data in (default: a temporary one)')
  .passThroughOptions();

command.parse();
const { only, data } = command.opts<{ only?: EngineName[]; data?: string }>();
try {
  process.exitCode = await new Run(command.args).go(only, data);
} catch (error) {
  if (!(error instanceof LaunchError)) throw error;
  complain(error.message);
  process.exitCode = 1;
}
