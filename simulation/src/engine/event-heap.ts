// What is due, in the order of time; what is due at the same instant, in an order drawn by lot.

import type { SimProcess } from './process.ts';

export type SimEvent = {
  dueMs: number;
  tie: number;
  /** Whose work it is, and in which of its lives; undefined is the world's own. */
  process: SimProcess | undefined;
  epoch: number;
  run: () => void;
  cancelled: boolean;
};

export class EventHeap {
  readonly #events: SimEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  push(event: SimEvent): void {
    const events = this.#events;
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = events[above] as SimEvent;
      if (!isBefore(event, parent)) break;
      events[at] = parent;
      at = above;
    }
    events[at] = event;
  }

  /** The next one that is due until this instant. */
  pop(untilMs: number): SimEvent | undefined {
    const first = this.#events[0];
    if (!first || first.dueMs > untilMs) return undefined;
    const last = this.#events.pop() as SimEvent;
    if (last !== first) this.#sink(last);
    return first;
  }

  /** Puts an event at the top, and lets it sink to its place. */
  #sink(event: SimEvent): void {
    const events = this.#events;
    const half = events.length >> 1;
    let at = 0;
    while (at < half) {
      let below = 2 * at + 1;
      let child = events[below] as SimEvent;
      const right = events[below + 1];
      if (right && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (!isBefore(child, event)) break;
      events[at] = child;
      at = below;
    }
    events[at] = event;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.tie < b.tie);
}
