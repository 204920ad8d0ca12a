// Lets the work on many lines give way to others, by the clock: what a line costs is up to the
// question's patterns.

import { setImmediate as nextTurn } from 'node:timers/promises';

const turnMs = 20;

export class LineTurns {
  #startedMs = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#startedMs >= turnMs;
  }

  /** @throws the signal's reason */
  async giveWay(signal: AbortSignal | undefined): Promise<void> {
    await nextTurn();
    signal?.throwIfAborted();
    this.#startedMs = performance.now();
  }
}
