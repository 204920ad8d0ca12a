// One connection to a Redis, kept up in the background.
//
// The client library starts connections and speaks the protocol. What it does about a bad network
// is not used: its time-outs end with the writing of a command, it queues while it is offline, and
// it waits for ever for a server that accepts connections and says nothing.
//
// C1. Nobody waits longer than `commandMsMax`. Answers come in the order of the questions, so when
//     the oldest question has waited that long, all that wait are given up, and so is the
//     connection: one timer, whatever the load.
// C2. While there is no connection, every question fails at once. A Redis that is dead or frozen
//     costs a time-out once, not once for each order.
// C3. A lost connection is made anew with growing pauses, spread by chance. It counts as up when
//     the server has taken our scripts and a write. One that refuses what we ask counts as lost.
// C4. What was asked when a connection ended may have been done or not: UnavailableError.

import { readFileSync } from 'node:fs';
import { createClient, ErrorReply } from '@redis/client';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';
import { type RedisScript, redisScripts } from './redis-scripts.ts';

type Client = ReturnType<ReturnType<typeof clientsFor>>;
type Waiting = { sinceMs: number };

type State =
  | { status: 'connecting'; client: Client }
  | { status: 'up'; client: Client; shas: Record<string, string> }
  | { status: 'pausing'; cancel: () => void }
  | { status: 'closed' };

export type RedisConnectionOptions = {
  /** `redis://` or `rediss://`; `?ssl_ca_certs=FILE` names who signs the server's certificate. */
  url: string;
  env: Environment;
  commandMsMax?: number | undefined;
  /** Hears that the connection is there, or why not; once each time that changes. */
  onState?: ((up: boolean, why: string) => void) | undefined;
};

const commandMsDefault = 250;
const connectMsMax = 1_000;
const pauseMsMin = 100;
const pauseMsMax = 2_000;
const trialWrite = ['SET', 'rushlight:trial', '1', 'PX', '1'];
/** After that, whatever had come in while our process stood still was read. */
const graceMs = 20;

export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #newClient: () => Client;
  readonly #commandMsMax: number;
  readonly #waiting = new Set<Waiting>();
  readonly #triedOnce: Promise<void>;
  #endFirstTry: () => void = () => undefined;
  #state: State;
  #failures = 0;
  #isWatching = false;
  #wasUp: boolean | undefined;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#newClient = clientsFor(options.url);
    this.#commandMsMax = options.commandMsMax ?? commandMsDefault;
    this.#triedOnce = new Promise((resolve) => {
      this.#endFirstTry = resolve;
    });
    this.#state = this.#connect();
  }

  /** Resolves when the first try to connect has ended, well or not. */
  async triedOnce(): Promise<void> {
    await this.#triedOnce;
  }

  /** @throws UnavailableError when there is no answer (C4) */
  async ask<T>(...words: string[]): Promise<T> {
    const state = this.#state;
    if (state.status !== 'up') throw gone();
    return await this.#ask<T>(state.client, words);
  }

  /** Runs a script. @throws UnavailableError when there is no answer */
  async run<T>(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<T> {
    const state = this.#state;
    if (state.status !== 'up') throw gone();
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#ask<T>(state.client, ['EVALSHA', state.shas[script] ?? '', ...rest]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await this.#ask<T>(state.client, ['EVAL', redisScripts[script], ...rest]);
    }
  }

  close(): void {
    const state = this.#state;
    this.#state = { status: 'closed' };
    this.#endFirstTry();
    if (state.status === 'pausing') state.cancel();
    else if (state.status !== 'closed') destroy(state.client);
  }

  #connect(): State {
    const client = this.#newClient();
    client.on('error', (error: Error) => this.#lose(client, error.message));
    void this.#bringUp(client);
    return { status: 'connecting', client };
  }

  async #bringUp(client: Client): Promise<void> {
    const { env, onState } = this.#options;
    const cancel = env.after(connectMsMax, () =>
      this.#lose(client, `no connection within ${connectMsMax} ms`),
    );
    try {
      await client.connect();
      const names = Object.keys(redisScripts) as RedisScript[];
      const loads = names.map(async (name) => {
        const load = ['SCRIPT', 'LOAD', redisScripts[name]];
        return [name, await client.sendCommand<string>(load)] as const;
      });
      const [entries] = await Promise.all([Promise.all(loads), client.sendCommand(trialWrite)]);
      const shas = Object.fromEntries(entries);
      if (this.#state.status === 'connecting' && this.#state.client === client) {
        this.#state = { status: 'up', client, shas };
        this.#failures = 0;
        this.#endFirstTry();
        if (this.#wasUp !== true) onState?.(true, 'connected');
        this.#wasUp = true;
      } else destroy(client); // It was given up meanwhile.
    } catch (error) {
      this.#lose(client, (error as Error).message);
      destroy(client);
    } finally {
      cancel();
    }
  }

  #lose(client: Client, why: string): void {
    const state = this.#state;
    if (state.status !== 'up' && state.status !== 'connecting') return;
    if (state.client !== client) return;
    const { env, onState } = this.#options;
    const ceilingMs = Math.min(pauseMsMax, pauseMsMin * 2 ** this.#failures);
    this.#failures++;
    const cancel = env.after(ceilingMs * (0.5 + env.random() / 2), () => {
      this.#state = this.#connect();
    });
    this.#state = { status: 'pausing', cancel };
    this.#endFirstTry();
    destroy(client);
    if (this.#wasUp !== false) onState?.(false, why);
    this.#wasUp = false;
  }

  async #ask<T>(client: Client, words: string[]): Promise<T> {
    const waiting = { sinceMs: this.#options.env.monotonicMs() };
    this.#waiting.add(waiting);
    this.#watch();
    try {
      return await client.sendCommand<T>(words);
    } catch (error) {
      if (error instanceof ErrorReply && !isNoScript(error)) this.#lose(client, error.message);
      throw isNoScript(error) ? error : gone(error);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /** C1 */
  #watch(): void {
    if (this.#isWatching) return;
    const { env } = this.#options;
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    const leftMs = this.#commandMsMax - (env.monotonicMs() - oldest.sinceMs);
    this.#isWatching = true;
    env.after(Math.max(leftMs, graceMs), () => {
      this.#isWatching = false;
      const [first] = this.#waiting;
      const state = this.#state;
      // Twice in a row the same one is overdue: it is not us who stood still.
      if (leftMs <= 0 && first === oldest && state.status === 'up') {
        this.#lose(state.client, `no answer within ${this.#commandMsMax} ms`);
      }
      this.#watch();
    });
  }
}

/** Reads what it needs once: later, nobody could be told that a file is missing. */
function clientsFor(text: string) {
  const url = new URL(text);
  const file = url.searchParams.get('ssl_ca_certs');
  const ca = file === null ? {} : { ca: readFileSync(file) };
  url.search = '';
  const tls = url.protocol === 'rediss:' ? { tls: true as const } : {};
  return () =>
    createClient({
      url: url.href,
      RESP: 2,
      socket: {
        ...tls,
        ...ca,
        connectTimeout: connectMsMax,
        reconnectStrategy: false,
      },
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      // Ours are used (C1); theirs cost a timer for each command.
      commandOptions: { timeout: 0 },
    });
}

function destroy(client: Client): void {
  client.on('error', () => undefined);
  client.destroy();
}

function isNoScript(error: unknown): boolean {
  return error instanceof ErrorReply && error.message.startsWith('NOSCRIPT');
}

function gone(cause?: unknown): UnavailableError {
  return new UnavailableError('cache', 'Redis does not answer now', { cause });
}
