// One run of the command: starts everything, says how it goes, and stops it when told to.

import { engineNames } from '@rushlight/contracts';
import { isUnderNpm, type LaunchConfig, noColorWanted, readLaunchConfig } from './config.ts';
import { LaunchError } from './launch-error.ts';
import type { PartEvent } from './part.ts';
import { startPlatform } from './platform.ts';
import type { Platform, PlatformOptions } from './platform-types.ts';
import { lineFor, logins, paintFor, type Row, table } from './screen.ts';

const parentPollMs = 250;
// One Ctrl-C comes twice under npm: from the terminal, and from npm, which passes it on.
const sameSignalMs = 300;
const paint = paintFor(process.stdout.isTTY, noColorWanted());

/** How services are run, where it is not by their main.ts. */
export type How = Pick<PlatformOptions, 'command'>;

/** One run of the command, from the first line to the exit code. */
class Run {
  readonly #config: LaunchConfig;
  readonly #how: How;
  readonly #giveUp = new AbortController();
  readonly #failed: string[] = [];
  #platform: Platform | undefined;
  #timesTold = 0;
  #lastToldMs = Number.NEGATIVE_INFINITY;
  #exitCode = 0;
  #isRestarting = false;

  constructor(config: LaunchConfig, how: How) {
    this.#config = config;
    this.#how = how;
  }

  async go(): Promise<void> {
    this.#listen();
    try {
      this.#platform = await startPlatform({
        ...this.#config,
        ...this.#how,
        signal: this.#giveUp.signal,
        onProgress: (line) => say(paint.faint(line)),
        onPart: (name, event) => {
          if (event.type === 'failed') this.#failed.push(name);
          if (this.#isServing) this.#tell(name, event);
        },
      });
    } catch (error) {
      if (this.#timesTold > 0) process.exit(this.#exitCode);
      complain(error instanceof LaunchError ? error.message : wordsOf(error));
      process.exit(1);
    }
    if (this.#timesTold > 0) await this.#stop(this.#platform);
    else welcome(this.#platform, this.#config, this.#failed);
  }

  #tell(name: string, event: PartEvent): void {
    const line = lineFor(name, event, paint);
    if (line !== undefined) say(line);
  }

  /** Before that the start tells what went wrong, and after it nobody wants to know. */
  get #isServing(): boolean {
    return this.#platform !== undefined && this.#timesTold === 0;
  }

  #listen(): void {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => this.#told(name === 'SIGINT' ? 'Ctrl-C' : name));
    }
    const unexpected = (error: unknown): void => {
      complain(wordsOf(error));
      this.#exitCode = 1;
      this.#told('an error of our own');
    };
    process.on('SIGUSR2', () => void this.#restart());
    process.on('uncaughtException', unexpected);
    process.on('unhandledRejection', unexpected);
    if (!isUnderNpm()) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent && this.#timesTold === 0) this.#told('npm is gone');
    }, parentPollMs).unref();
  }

  #told(why: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastToldMs < sameSignalMs) return;
    this.#lastToldMs = nowMs;
    this.#timesTold += 1;
    const platform = this.#platform;
    if (this.#timesTold === 1) {
      say(`${why}: stopping (once more: at once)`);
      this.#giveUp.abort(new LaunchError('stopped before it was ready'));
      if (platform !== undefined) void this.#stop(platform);
    } else if (this.#timesTold === 2 && platform !== undefined) {
      void platform.stop({ atOnce: true });
    } else if (this.#timesTold > 2 || platform === undefined) {
      process.exit(1); // Whatever still runs is killed on the way out.
    }
  }

  /** New code, or new settings in files, without a pause in selling. */
  async #restart(): Promise<void> {
    const platform = this.#platform;
    if (platform === undefined || !this.#isServing || this.#isRestarting) return;
    this.#isRestarting = true;
    say('SIGUSR2: every service starts anew, one process after another');
    await platform.restart().then(
      () => say(paint.good('every service has started anew')),
      (error: Error) => say(paint.bad(`the restart ended early: ${error.message}`)),
    );
    this.#isRestarting = false;
  }

  async #stop(platform: Platform): Promise<void> {
    await platform.stop();
    say('stopped');
    process.exit(this.#exitCode);
  }
}

/** @param failed parts that do not start, and are not needed */
function welcome(platform: Platform, config: LaunchConfig, failed: readonly string[]): void {
  const { lab, otlp } = config;
  say(`\n${table(rowsOf(platform), paint)}\n`);
  const warning = platform.otlp?.warning;
  if (warning !== undefined) say(`${paint.bad(warning)}\n`);
  if (otlp) say(`telemetry goes to ${otlp.endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT)\n`);
  for (const name of failed) {
    say(paint.bad(`${name} does not start; all others do without it. It said:`));
    say(`${platform.logTail(name).join('\n')}\n`);
  }
  if (lab) say(`${logins(paint)}\n`);
  const password = platform.takeFirstAdminPassword();
  if (password !== undefined) {
    say(`first login   admin / ${password}   (shown this once; change it after the first login)`);
  }
  say(`logs     ${platform.logs}`);
  say(`open     ${paint.good(platform.url)}   (API: ${platform.url}/api/docs)`);
  say(`\nready in ${(performance.now() / 1000).toFixed(1)} s`);
}

function rowsOf(platform: Platform): Row[] {
  const rows = platform.parts().map(({ name, running, ready }) => ({
    part: name,
    url: isEngine(name) && name !== 'postgres' ? '' : urlOf(platform, name),
    state: ready ? 'up' : running ? 'starting' : 'down',
  }));
  const monitor = rows.find(({ part }) => part === 'monitor');
  if (monitor && platform.otlp) rows.push({ ...monitor, part: 'OTLP', url: platform.otlp.url });
  const last = ['monitor', 'OTLP', 'postgres'];
  const order = (name: string): number => (name === 'gateway' ? -2 : last.indexOf(name));
  return rows.sort((a, b) => order(a.part) - order(b.part));
}

function isEngine(name: string): boolean {
  return (engineNames as readonly string[]).includes(name);
}

function urlOf(platform: Platform, name: string): string {
  if (name === 'postgres') return `postgres://127.0.0.1:${platform.postgresPort}`;
  return platform.serviceUrl(name);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The command with these arguments. Ends the process when the run is over. */
export async function runCommand(argumentsGiven: readonly string[], how: How = {}): Promise<void> {
  // Whoever read our lines may be gone; that is no reason to stop selling.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const read = readLaunchConfig(argumentsGiven);
  if (read.kind === 'text') {
    say(read.text.trimEnd());
  } else if (read.kind === 'mistakes') {
    complain(read.mistakes.join('\n'));
    process.exitCode = 1;
  } else {
    await new Run(read.config, how).go();
  }
}
