// A number that changes, and the lowest that it was between two instants.
//
// T1. Changes are added in the order in which they were made. Stamps that run backwards count as the
//     latest before them.
// T2. At the instant of a change both values are true: whoever looked may have looked before it.

const linearMax = 32;

export class Timeline {
  readonly #timesMs: number[] = [];
  /** One more than times: the first is true until the first change. */
  readonly #values: number[];
  /** Level n has the lowest of 2ⁿ values that follow each other; made when first needed. */
  #levels: number[][] | undefined;

  constructor(initial: number) {
    this.#values = [initial];
  }

  add(atMs: number, by: number): void {
    const value = this.last + by;
    this.#timesMs.push(Math.max(atMs, this.#timesMs.at(-1) ?? Number.NEGATIVE_INFINITY));
    this.#values.push(value);
    this.#levels = undefined;
  }

  get last(): number {
    return this.#values.at(-1) ?? 0;
  }

  /** The lowest value between two instants, both included. */
  lowest(fromMs: number, toMs: number): number {
    const first = this.#countBefore(fromMs, false);
    const last = Math.max(first, this.#countBefore(toMs, true));
    if (last - first < linearMax) return Math.min(...this.#values.slice(first, last + 1));
    const level = 31 - Math.clz32(last - first + 1);
    const minima = this.#minima()[level] ?? [];
    const left = minima[first] ?? Number.POSITIVE_INFINITY;
    const right = minima[last + 1 - 2 ** level] ?? Number.POSITIVE_INFINITY;
    return Math.min(left, right);
  }

  /** How many changes were made before this instant, or at it. */
  #countBefore(atMs: number, orAt: boolean): number {
    let low = 0;
    let high = this.#timesMs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const timeMs = this.#timesMs[middle] ?? 0;
      if (timeMs < atMs || (orAt && timeMs === atMs)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #minima(): number[][] {
    if (this.#levels) return this.#levels;
    const levels = [this.#values];
    for (let width = 2; width <= this.#values.length; width *= 2) {
      const half = levels.at(-1) ?? [];
      const minima: number[] = [];
      for (let at = 0; at + width <= this.#values.length; at++) {
        minima.push(Math.min(half[at] ?? 0, half[at + width / 2] ?? 0));
      }
      levels.push(minima);
    }
    this.#levels = levels;
    return levels;
  }
}
