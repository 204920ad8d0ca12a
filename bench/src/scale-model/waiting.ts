// Where work waits: batchers, locks, and the log of a database that is flushed for many at once.

import type { Clock } from './clock.ts';

/** Times are sums of fractions: what is due may seem not to be, by less than this. */
const roundingUs = 1e-3;

export type BatcherLimits = { sizeMax: number; waitUs: number; concurrencyMax: number };

/** Like the batcher of the services: what comes while batches run gathers for the next. */
export class Batcher<Item> {
  readonly #clock: Clock;
  readonly #limits: BatcherLimits;
  readonly #run: (items: Item[], done: () => void) => void;
  readonly #items: Item[] = [];
  readonly #cameUs: number[] = [];
  #running = 0;
  #isArmed = false;

  constructor(clock: Clock, limits: BatcherLimits, run: (items: Item[], done: () => void) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#run = run;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#cameUs.push(this.#clock.nowUs);
    this.#pump();
  }

  #pump(): void {
    const { sizeMax, waitUs, concurrencyMax } = this.#limits;
    while (this.#running < concurrencyMax && this.#items.length > 0) {
      const ageUs = this.#clock.nowUs - (this.#cameUs[0] ?? 0);
      if (this.#items.length < sizeMax && ageUs < waitUs - roundingUs) break;
      this.#running++;
      this.#cameUs.splice(0, sizeMax);
      this.#run(this.#items.splice(0, sizeMax), () => {
        this.#running--;
        this.#pump();
      });
    }
    if (this.#items.length === 0 || this.#running >= concurrencyMax || this.#isArmed) return;
    this.#isArmed = true;
    const dueUs = (this.#cameUs[0] ?? 0) + waitUs;
    this.#clock.after(Math.max(0, dueUs - this.#clock.nowUs), () => {
      this.#isArmed = false;
      this.#pump();
    });
  }
}

/** Held by one at a time, handed on in the order of asking. */
export class Lock {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #sinceUs: number | undefined;
  #heldUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Microseconds in which somebody held it. */
  get heldUs(): number {
    return this.#heldUs + (this.#sinceUs === undefined ? 0 : this.#clock.nowUs - this.#sinceUs);
  }

  take(taken: () => void): void {
    if (this.#sinceUs !== undefined) {
      this.#waiting.push(taken);
      return;
    }
    this.#sinceUs = this.#clock.nowUs;
    taken();
  }

  give(): void {
    this.#heldUs += this.#clock.nowUs - (this.#sinceUs ?? this.#clock.nowUs);
    this.#sinceUs = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.take(next);
  }
}

/** One flush at a time; who comes meanwhile shares the next. */
export class Log {
  readonly #clock: Clock;
  readonly #flushUs: number;
  #waiting: (() => void)[] = [];
  #isFlushing = false;

  constructor(clock: Clock, flushUs: number) {
    this.#clock = clock;
    this.#flushUs = flushUs;
  }

  commit(done: () => void): void {
    this.#waiting.push(done);
    if (!this.#isFlushing) this.#flush();
  }

  #flush(): void {
    const flushed = this.#waiting;
    this.#waiting = [];
    this.#isFlushing = true;
    this.#clock.after(this.#flushUs, () => {
      this.#isFlushing = false;
      for (const done of flushed) done();
      if (this.#waiting.length > 0 && !this.#isFlushing) this.#flush();
    });
  }
}
