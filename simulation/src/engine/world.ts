// Virtual time: a heap of events, carried out one after the other.
//
// W1. Nothing but an event makes anything happen, and each is carried out only when everything that
//     followed from the one before has come to rest: all promises that can settle have settled.
// W2. All chance comes from the seed: a run twice is the same run, event by event. `hash` says so.
// W3. A process has lives. Work of a life that is over is never carried out; work of one that is
//     stopped waits until it goes on.

import { seededRandom } from '@rushlight/chassis';
import { EventHeap, type SimEvent } from './event-heap.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { SimProcess } from './process.ts';
import { Story } from './story.ts';

/** The wall clock at the beginning. */
export const startMs = 1_767_225_600_000;
const eventsMax = 2_000_000;

export class World {
  readonly seed: number;
  readonly story: Story;
  readonly faults = new Map<FaultKind, number>();
  readonly #heap = new EventHeap();
  readonly #ties: () => number;
  #elapsedMs = 0;
  #events = 0;
  #hash = 0x811c9dc5;

  constructor(seed: number, tells: boolean) {
    this.seed = seed;
    this.#ties = this.dice('ties');
    this.story = new Story(tells, () => this.#elapsedMs);
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** What a clock that is right shows. */
  get wallMs(): number {
    return Math.trunc(startMs + this.#elapsedMs);
  }

  get events(): number {
    return this.#events;
  }

  /** The same for the same run, and hardly for any other. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** Numbers of their own for each use, so that one that draws more shifts no other. */
  dice(use: string): () => number {
    let mixed = Math.imul(this.seed, 0x9e3779b1) ^ 0x5bd1e995;
    for (let at = 0; at < use.length; at++) {
      mixed = Math.imul(mixed ^ use.charCodeAt(at), 0x01000193);
      mixed ^= mixed >>> 13;
    }
    return seededRandom(mixed);
  }

  count(kind: FaultKind, times = 1): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + times);
  }

  /** Takes something that happened into the hash. */
  mark(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
    this.#hash ^= this.#hash >>> 15;
  }

  /** Work of the world itself. */
  at(delayMs: number, run: () => void): SimEvent {
    return this.schedule(undefined, 0, delayMs, run);
  }

  schedule(
    process: SimProcess | undefined,
    epoch: number,
    delayMs: number,
    run: () => void,
  ): SimEvent {
    const dueMs = this.#elapsedMs + Math.max(0, delayMs);
    const event = { dueMs, tie: this.#ties(), process, epoch, run, cancelled: false };
    this.#heap.push(event);
    return event;
  }

  /** Puts events that waited for their process back in line. */
  requeue(events: readonly SimEvent[]): void {
    for (const event of events) {
      event.dueMs = this.#elapsedMs;
      event.tie = this.#ties();
      this.#heap.push(event);
    }
  }

  /** Lets time pass until this instant. */
  run(untilMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (this.#carryOutNext(untilMs)) {
            queueMicrotask(next);
            return;
          }
          this.#elapsedMs = Math.max(this.#elapsedMs, untilMs);
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      // A tick that a microtask asked for comes when the queue of microtasks is empty: at rest (W1).
      const next = (): void => process.nextTick(turn);
      next();
    });
  }

  #carryOutNext(untilMs: number): boolean {
    for (;;) {
      const event = this.#heap.pop(untilMs);
      if (!event) return false;
      if (event.cancelled) continue;
      const owner = event.process;
      if (owner && !owner.mayRun(event)) continue;
      this.#elapsedMs = event.dueMs;
      this.#events += 1;
      if (this.#events > eventsMax) throw new Error(`more than ${eventsMax} events in one run`);
      this.mark(Math.trunc(event.dueMs * 64) ^ ((owner?.index ?? 63) << 26));
      event.run();
      return true;
    }
  }
}
