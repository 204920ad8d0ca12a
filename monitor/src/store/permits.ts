// How many may do something at once, and how many may wait for it.

import type { Environment } from '@rushlight/chassis';
import { LimitError } from '../model.ts';

export class Permits {
  #free: number;
  readonly #waitingMax: number;
  readonly #waiting: { grant: () => void }[] = [];

  constructor(options: { atOnceMax: number; waitingMax: number }) {
    this.#free = options.atOnceMax;
    this.#waitingMax = options.waitingMax;
  }

  /**
   * Runs it when it is its turn.
   *
   * @throws LimitError when too many wait already, or the turn does not come within `waitMsMax`
   */
  async run<T>(env: Environment, waitMsMax: number, work: () => Promise<T>): Promise<T> {
    await this.#turn(env, waitMsMax);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next.grant();
      else this.#free += 1;
    }
  }

  async #turn(env: Environment, waitMsMax: number): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      throw new LimitError(
        `${this.#waiting.length} questions wait already, and no more may; ask again in a second.`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const entry = {
        grant: () => {
          cancel();
          resolve();
        },
      };
      const cancel = env.after(waitMsMax, () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(new LimitError(`It was not its turn within ${waitMsMax} ms; ask again later.`));
      });
      this.#waiting.push(entry);
    });
  }
}
