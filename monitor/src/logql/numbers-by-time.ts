// What the lines of one series count for, by time, and functions over a range of them.

import type { LineFunction } from './ast.ts';

export class NumbersByTime {
  readonly #atUs: number[] = [];
  readonly #values: number[] = [];

  /** Instants ascend. */
  add(atUs: number, value: number): void {
    this.#atUs.push(atUs);
    this.#values.push(value);
  }

  /** Over the range that ends at an instant, its start excluded; undefined where nothing is. */
  over(name: LineFunction, atMs: number, rangeMs: number): number | undefined {
    const from = this.#countUpTo((atMs - rangeMs) * 1_000);
    const to = this.#countUpTo(atMs * 1_000);
    if (from === to) return undefined;
    switch (name) {
      case 'count_over_time':
        return to - from;
      case 'rate':
        return this.#sum(from, to) / (rangeMs / 1_000);
      case 'sum_over_time':
        return this.#sum(from, to);
      case 'avg_over_time':
        return this.#sum(from, to) / (to - from);
      case 'max_over_time':
        return this.#fold(from, to, Math.max);
      case 'min_over_time':
        return this.#fold(from, to, Math.min);
    }
  }

  #sum(from: number, to: number): number {
    return this.#fold(from, to, (sum, value) => sum + value);
  }

  #fold(from: number, to: number, combine: (one: number, other: number) => number): number {
    let result = this.#values[from] ?? Number.NaN;
    for (let index = from + 1; index < to; index++) {
      result = combine(result, this.#values[index] ?? Number.NaN);
    }
    return result;
  }

  #countUpTo(us: number): number {
    let [low, high] = [0, this.#atUs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#atUs[middle] ?? 0) <= us) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
