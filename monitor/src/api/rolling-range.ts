// The values of an expression over a window that moves on with time: what was evaluated once is
// kept, and only the steps that are new are evaluated.
//
// H1. The last steps are evaluated again each time, because samples may have come in late.
// H2. A window that does not continue the one before is evaluated as a whole.
// H3. What fails changes nothing.

import type { Labels, Range, Series } from '../model.ts';

export type StepValues = {
  labels: Labels;
  /** One a step, the first at `fromMs` of the window; NaN where there is none. */
  values: Float64Array;
};

const stepsAgain = 3;
/** So that little is in memory at once. */
const stepsAtOnce = 30;

export class RollingRange {
  readonly #stepMs: number;
  #window: Range | undefined;
  #series: ReadonlyMap<string, StepValues> = new Map();

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  /**
   * Both ends of the window are whole steps.
   *
   * @param evaluate the series of part of the window, a point at each step where there is a value
   */
  async move(
    window: Range,
    evaluate: (part: Range) => Promise<readonly Series[]>,
  ): Promise<readonly StepValues[]> {
    const fromMs = this.#newFrom(window);
    const moved = this.#kept(window, fromMs);
    const pieceMs = stepsAtOnce * this.#stepMs;
    for (let startMs = fromMs; startMs <= window.toMs; startMs += pieceMs) {
      const endMs = Math.min(startMs + pieceMs - this.#stepMs, window.toMs);
      for (const { labels, atMs, values } of await evaluate({ fromMs: startMs, toMs: endMs })) {
        const key = JSON.stringify(labels);
        const made = moved.get(key) ?? { labels, values: this.#empty(window) };
        moved.set(key, made);
        atMs.forEach((at, i) => {
          made.values[Math.round((at - window.fromMs) / this.#stepMs)] = values[i] ?? Number.NaN;
        });
      }
    }
    this.#window = window;
    this.#series = moved;
    return [...moved.values()];
  }

  /** From where on the window is new. */
  #newFrom({ fromMs, toMs }: Range): number {
    const before = this.#window;
    if (before === undefined || before.fromMs > fromMs || before.toMs > toMs) return fromMs;
    return Math.max(fromMs, before.toMs - (stepsAgain - 1) * this.#stepMs);
  }

  /** What is known of the window before `untilMs`. */
  #kept(window: Range, untilMs: number): Map<string, StepValues> {
    const kept = new Map<string, StepValues>();
    const before = this.#window;
    if (before === undefined || untilMs <= window.fromMs) return kept;
    const [from, until] = [window.fromMs, untilMs].map((ms) => (ms - before.fromMs) / this.#stepMs);
    for (const [key, { labels, values }] of this.#series) {
      const left = values.subarray(from, until);
      if (left.every(Number.isNaN)) continue;
      const moved = this.#empty(window);
      moved.set(left);
      kept.set(key, { labels, values: moved });
    }
    return kept;
  }

  #empty({ fromMs, toMs }: Range): Float64Array {
    return new Float64Array((toMs - fromMs) / this.#stepMs + 1).fill(Number.NaN);
  }
}
