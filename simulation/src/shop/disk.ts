// A store's way to its database. Every operation takes time before its atomic effect and after it:
// a process may die, be stopped or be told nothing on either side.

import { type Environment, UnavailableError } from '@rushlight/chassis';
import type { SimProcess } from '../engine/process.ts';
import type { Settings } from '../settings.ts';

export type Weather = { faulty: boolean };

/** Readings that cost no time: they are many, and time between them is explored by the others. */
const instantReadShare = 0.7;

export class Disk {
  readonly #process: SimProcess;
  readonly #env: Environment;
  readonly #settings: Settings;
  readonly #weather: Weather;
  readonly #random: () => number;

  constructor(
    process: SimProcess,
    env: Environment,
    options: { settings: Settings; weather: Weather },
  ) {
    this.#process = process;
    this.#env = env;
    this.#settings = options.settings;
    this.#weather = options.weather;
    this.#random = env.random;
  }

  async write<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const { storeFailedRate, commitUnheardRate } = this.#settings;
    await this.#env.sleep(this.#transitMs());
    if (this.#happens('store_failed', storeFailedRate)) throw this.#failure(operation, 'fails');
    const result = await run();
    await this.#env.sleep(this.#transitMs());
    if (this.#happens('commit_unheard', commitUnheardRate)) {
      throw this.#failure(operation, 'commits, and its answer is lost');
    }
    return result;
  }

  async read<T>(operation: string, run: () => Promise<T>): Promise<T> {
    if (this.#random() >= instantReadShare) await this.#env.sleep(this.#transitMs());
    if (this.#happens('store_failed', this.#settings.storeFailedRate)) {
      throw this.#failure(operation, 'fails');
    }
    return await run();
  }

  #failure(operation: string, how: string): UnavailableError {
    const { name, world } = this.#process;
    world.story.say(name, () => `${operation} ${how}`);
    return new UnavailableError('store', `${operation} ${how}`);
  }

  #happens(kind: 'store_failed' | 'commit_unheard' | 'slow_store', rate: number): boolean {
    if (!this.#weather.faulty || rate === 0 || this.#random() >= rate) return false;
    this.#process.world.count(kind);
    return true;
  }

  #transitMs(): number {
    const { storeMs, slowStoreRate, slowMsMax } = this.#settings;
    const slow = this.#happens('slow_store', slowStoreRate);
    return this.#random() * (slow ? slowMsMax : storeMs);
  }
}

type Operation = (...given: never[]) => Promise<unknown>;

/** The same store at the end of that way. What is neither written nor read is not there. */
export function onDisk<S extends object>(
  disk: Disk,
  store: S,
  operations: { writes: readonly (keyof S)[]; reads: readonly (keyof S)[] },
): S {
  const far: Partial<Record<keyof S, unknown>> = {};
  for (const name of operations.writes) {
    const operation = (store[name] as Operation).bind(store);
    far[name] = (...given: never[]) => disk.write(String(name), () => operation(...given));
  }
  for (const name of operations.reads) {
    const operation = (store[name] as Operation).bind(store);
    far[name] = (...given: never[]) => disk.read(String(name), () => operation(...given));
  }
  return far as S;
}
