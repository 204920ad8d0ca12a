// A machine of so many cores, and threads that want them.
//
// C1. A thread does one piece of work at a time, in the order in which it was given.
// C2. A thread that has work waits for a core behind those that came before it, keeps it for at most
//     a slice, and then goes to the end of the line.

import type { Clock } from './clock.ts';

const sliceUs = 2_000;

type Work = { leftUs: number; done: () => void };

export class Machine {
  readonly clock: Clock;
  readonly #waiting: Thread[] = [];
  #head = 0;
  #free: number;

  constructor(clock: Clock, cores: number) {
    this.clock = clock;
    this.#free = cores;
  }

  /** A thread has work and no core. */
  wants(thread: Thread): void {
    this.#waiting.push(thread);
    this.#dispatch();
  }

  gives(): void {
    this.#free++;
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#free > 0 && this.#head < this.#waiting.length) {
      const thread = this.#waiting[this.#head++];
      this.#free--;
      thread?.runSlice();
    }
    if (this.#head < 1_024) return;
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }
}

export class Thread {
  readonly name: string;
  readonly #machine: Machine;
  readonly #work: Work[] = [];
  #usedUs = 0;
  #head = 0;
  #isBusy = false;

  constructor(machine: Machine, name: string) {
    this.#machine = machine;
    this.name = name;
  }

  /** Processor time so far. */
  get usedUs(): number {
    return this.#usedUs;
  }

  run(us: number, done: () => void): void {
    this.#work.push({ leftUs: us, done });
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#machine.wants(this);
  }

  /** On a core that it was given. */
  runSlice(sliceLeftUs = sliceUs): void {
    const work = this.#work[this.#head];
    if (work === undefined) throw new Error(`${this.name} was given a core and has no work`);
    const us = Math.min(work.leftUs, sliceLeftUs);
    this.#machine.clock.after(us, () => {
      this.#usedUs += us;
      work.leftUs -= us;
      if (work.leftUs <= 0) this.#finish(work);
      const hasWork = this.#head < this.#work.length;
      if (hasWork && sliceLeftUs - us > 0) {
        this.runSlice(sliceLeftUs - us);
        return;
      }
      this.#isBusy = hasWork;
      this.#machine.gives();
      if (hasWork) this.#machine.wants(this);
    });
  }

  #finish(work: Work): void {
    this.#head++;
    if (this.#head >= 1_024) {
      this.#work.splice(0, this.#head);
      this.#head = 0;
    }
    work.done();
  }
}
