// Which number a series has in the file.
//
// X1. A series is its name and its labels; an empty label is as good as none.
// X2. Never more than `seriesMax`: the samples of a further series are refused and counted.
// X3. A series is `unsaved` until the transaction that wrote it has ended well.

import type { Labels } from '../model.ts';
import type { SeriesRow } from './columns.ts';

export class SeriesIndex {
  readonly #seriesMax: number;
  readonly #ids = new Map<string, number>();
  #unsaved: SeriesRow[] = [];
  #nextId = 1;

  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** @returns undefined when it would be one series too many (X2) */
  idOf(name: string, labels: Labels): number | undefined {
    const text = labelsText(labels);
    const key = `${name}${text}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#seriesMax) return undefined;
    const seriesId = this.#nextId;
    this.#nextId += 1;
    this.#ids.set(key, seriesId);
    this.#unsaved.push({ seriesId, name, labels: text });
    return seriesId;
  }

  /** What is to be written with the samples that refer to it. */
  unsaved(): readonly SeriesRow[] {
    return this.#unsaved;
  }

  saved(): void {
    this.#unsaved = [];
  }

  /** What the file knows, instead of everything that was known. */
  replace(rows: readonly SeriesRow[]): void {
    this.#ids.clear();
    this.#unsaved = [];
    this.#nextId = 1;
    for (const { seriesId, name, labels } of rows) {
      this.#ids.set(`${name}${labels}`, seriesId);
      this.#nextId = Math.max(this.#nextId, seriesId + 1);
    }
  }

  forget(rows: readonly SeriesRow[]): void {
    for (const { name, labels } of rows) this.#ids.delete(`${name}${labels}`);
  }
}

function labelsText(labels: Labels): string {
  const keys = Object.keys(labels).filter((key) => labels[key] !== '' && key !== '__name__');
  return JSON.stringify(Object.fromEntries(keys.sort().map((key) => [key, labels[key]])));
}
