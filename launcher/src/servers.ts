// The servers that a shop past one machine stands on, of this system's packages, for a while: each
// on a free port of 127.0.0.1, with a password of its own, all in one folder.
//
// V1. What is not installed is told before anything is started.
// V2. A start that fails half-way ends what it has started.
// V3. They end with us, however we end: a watcher outlives us by the moment that takes.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineName, engineNames } from '@rushlight/contracts';
import { checkFormat, type DataFolder, migrateFormat, openDataFolder } from './data-folder.ts';
import { type EngineMaker, findEngines, type MadeEngine, urlVariables } from './engines/kinds.ts';
import { LaunchError } from './launch-error.ts';
import { takeLock } from './lock.ts';
import { RotatedLog } from './logs.ts';
import type { Part, PartEvent } from './part.ts';
import { findFreePort } from './ports.ts';
import { openSecrets } from './secrets.ts';

export type ServersOptions = {
  /** Unless given, all of them. */
  only?: readonly EngineName[] | undefined;
  /** Unless given, a temporary folder that is removed in the end. */
  data?: string | undefined;
  onPart?: ((name: EngineName, event: PartEvent) => void) | undefined;
};

/**
 * Starts them and resolves when all of them are ready.
 *
 * @throws LaunchError, with a sentence for people; nothing is left running then
 */
export async function startServers(options: ServersOptions = {}): Promise<Servers> {
  const makers = findEngines(options.only ?? engineNames);
  const isTemporary = options.data === undefined;
  const root = options.data ?? mkdtempSync(join(tmpdir(), 'rushlight-servers-'));
  const folder = openDataFolder(root);
  const lock = takeLock(folder.root, 0);
  const servers = new Servers(folder.root, isTemporary, lock.release);
  try {
    checkFormat(folder, false);
    migrateFormat(folder);
    await servers.start(makers, folder, options.onPart);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

const downPollMs = 10;

export class Servers {
  readonly #temporary: string | undefined;
  readonly #unlock: () => void;
  readonly #made = new Map<EngineName, MadeEngine>();
  readonly #logs: RotatedLog[] = [];
  readonly #watcher: ChildProcess;
  #stopping: Promise<void> | undefined;

  constructor(root: string, isTemporary: boolean, unlock: () => void) {
    this.#temporary = isTemporary ? root : undefined;
    this.#unlock = unlock;
    this.#watcher = startWatcher(root, isTemporary);
  }

  async start(
    makers: ReadonlyMap<EngineName, EngineMaker>,
    folder: DataFolder,
    onPart: ServersOptions['onPart'],
  ): Promise<void> {
    const secrets = openSecrets(folder.secrets, [...engineNames]);
    const taken = new Set<number>();
    const freePort = async (): Promise<number> => {
      const port = await findFreePort(taken, '127.0.0.1');
      if (taken.has(port)) return freePort(); // Given to another meanwhile.
      taken.add(port);
      return port;
    };
    const starts = [...makers].map(([name, make]) => {
      const log = new RotatedLog(join(folder.logs, `${name}.log`));
      this.#logs.push(log);
      const onEvent = (event: PartEvent): void => {
        if (event.type === 'started') this.#tellWatcher();
        onPart?.(name, event);
      };
      const ground = { folder, freePort, secrets, log };
      return make(ground, onEvent).then((made) => this.#run(name, made, log));
    });
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Where they are, by the variables that say so. */
  get environment(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#made].map(([name, { url }]) => [urlVariables[name], url]));
  }

  /** Sends one a signal. If it dies of that, it is started again. */
  signal(name: EngineName, signal: NodeJS.Signals): void {
    this.#part(name).signal(signal);
  }

  /** Kills one, and keeps it down. Resolves when it is gone. */
  async takeDown(name: EngineName): Promise<void> {
    const part = this.#part(name);
    part.hold('taken down');
    part.signal('SIGKILL');
    while (part.pid !== null) await sleep(downPollMs);
  }

  /** Starts one that was taken down, where it was before. Resolves when it is ready. */
  async bringBack(name: EngineName): Promise<void> {
    this.#part(name).release('taken down');
    await this.#part(name).whenUp();
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#made.values()].map(({ part }) => part.stop()));
    for (const log of this.#logs) log.close();
    this.#unlock();
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true });
    this.#watcher.kill('SIGKILL');
  }

  async #run(name: EngineName, made: MadeEngine, log: RotatedLog): Promise<void> {
    this.#made.set(name, made);
    made.part.start();
    await made.part.whenUp().catch((error: Error) => {
      throw new LaunchError(`${error.message}. It said:\n${log.tail().join('\n')}`);
    });
  }

  #part(name: EngineName): Part {
    const made = this.#made.get(name);
    if (made === undefined) throw new LaunchError(`${name} was not started.`);
    return made.part;
  }

  #tellWatcher(): void {
    const pids = [...this.#made.values()].flatMap(({ part }) => part.pid ?? []);
    this.#watcher.stdin?.write(`${pids.map((pid) => `-${pid}`).join(' ')}\n`);
  }
}

/**
 * V3: reads which process groups run; when nobody writes any more, ends them and what else works in
 * the folder.
 */
function startWatcher(folder: string, isTemporary: boolean): ChildProcess {
  const script = `
    while read -r line; do groups=$line; done
    [ "$groups" ] && kill -s KILL -- $groups
    for process in /proc/[0-9]*; do
      case "$(readlink "$process/cwd")" in
        "$1"/*) kill -s KILL "\${process#/proc/}" ;;
      esac
    done
    [ "$2" = true ] && sleep 1 && rm -rf "$1"`;
  const watcher = spawn('sh', ['-c', script, 'sh', folder, String(isTemporary)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Whoever ends our whole group does not end this one.
    detached: true,
  });
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  return watcher;
}
