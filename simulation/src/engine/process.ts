// A process: it has lives, a clock that may be wrong, and may be stopped for a while.
//
// P1. A crash ends a life: its timers and everything that waited for one of them are gone. What its
//     stores hold is not part of the process, and stays.
// P2. While it is stopped nothing of it runs; what fell due meanwhile runs when it goes on.

import type { Environment } from '@rushlight/chassis';
import type { SimEvent } from './event-heap.ts';
import { startMs, type World } from './world.ts';

/** The epoch of work that whoever lives then takes up, such as a request that arrives. */
export const anyLife = -1;

export class SimProcess {
  readonly name: string;
  readonly index: number;
  readonly world: World;
  /** Off its clock by this much. */
  shiftMs = 0;
  up = false;
  epoch = 0;
  /** Runs at each crash, with the life that is over. */
  readonly onCrash: (() => void)[] = [];
  #stopped = false;
  #waiting: SimEvent[] = [];
  readonly #random: () => number;

  constructor(world: World, name: string, index: number) {
    this.world = world;
    this.name = name;
    this.index = index;
    this.#random = world.dice(name);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether this event may be carried out now; takes it away if it has to wait. */
  mayRun(event: SimEvent): boolean {
    if (event.epoch !== this.epoch && event.epoch !== anyLife) return false;
    if (!this.#stopped) return true;
    this.#waiting.push(event);
    return false;
  }

  stop(): void {
    this.#stopped = true;
  }

  goOn(): void {
    this.#stopped = false;
    this.world.requeue(this.#waiting.splice(0));
  }

  crash(): void {
    this.epoch += 1;
    this.up = false;
    this.#stopped = false;
    for (const run of this.onCrash) run();
    // Requests that waited at its door find nobody there.
    this.world.requeue(this.#waiting.splice(0));
  }

  /** The environment of the life that begins now. */
  environment(): Environment {
    const { world, epoch } = this;
    const random = this.#random;
    const after = (delayMs: number, run: () => void): (() => void) => {
      const event = world.schedule(this, epoch, delayMs, run);
      return () => {
        event.cancelled = true;
      };
    };
    const nowMs = (): number => Math.trunc(startMs + world.elapsedMs + this.shiftMs);
    return {
      nowMs,
      monotonicMs: () => world.elapsedMs,
      random,
      newId: () => newId(nowMs(), random),
      sleep: (durationMs, signal) =>
        signal
          ? abortable(after, durationMs, signal)
          : new Promise((done) => after(durationMs, done)),
      after,
    };
  }
}

function abortable(
  after: Environment['after'],
  durationMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancel = after(durationMs, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      reject(signal.reason);
    });
  });
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** A UUID, version 7, of this instant and this chance. */
function newId(nowMs: number, random: () => number): string {
  const time = hex(nowMs, 12);
  const a = hex(Math.trunc(random() * 0x1000), 3);
  const b = hex(Math.trunc(random() * 0x1000), 3);
  const c = hex(Math.trunc(random() * 0x1000000), 6);
  const d = hex(Math.trunc(random() * 0x1000000), 6);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-8${b}-${c}${d}`;
}
