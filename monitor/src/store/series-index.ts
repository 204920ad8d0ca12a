// Which number a series has in the file, and which series there are: asked for samples of some, nobody
// has to look that up in the file.
//
// X1. A series is its name and its labels; an empty label is as good as none.
// X2. Never more than `seriesMax`, and none whose labels are longer than `labelsLengthMax`: the
//     samples of others are refused and counted.
// X3. A series is `unsaved` until the transaction that wrote it has ended well.

import type { Labels, Matcher } from '../model.ts';
import { matchLabels } from '../promql/matchers.ts';
import type { SeriesRow } from './columns.ts';

const labelsLengthMax = 8_192;

export class SeriesIndex {
  readonly #seriesMax: number;
  readonly #ids = new Map<string, number>();
  /** By name and number; with `__name__` among the labels. */
  readonly #byName = new Map<string, Map<number, Labels>>();
  #unsaved: SeriesRow[] = [];
  #nextId = 1;

  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** @returns undefined when it would be one series too many, or too long a one (X2) */
  idOf(name: string, labels: Labels): number | undefined {
    const text = labelsText(labels);
    const key = `${name}${text}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#seriesMax || key.length > labelsLengthMax) return undefined;
    const seriesId = this.#nextId;
    this.#nextId += 1;
    this.#ids.set(key, seriesId);
    this.#describe(seriesId, name, text);
    this.#unsaved.push({ seriesId, name, labels: text });
    return seriesId;
  }

  /**
   * The series that match, by number, and their labels with `__name__`.
   *
   * @throws QueryError when a pattern cannot be read
   */
  find(matchers: readonly Matcher[]): Map<number, Labels> {
    const found = new Map<number, Labels>();
    const matches = matchLabels(matchers);
    const named = matchers.find(({ label, operator }) => label === '__name__' && operator === '=');
    const candidates = named ? [this.#byName.get(named.value)] : this.#byName.values();
    for (const series of candidates) {
      for (const [id, labels] of series ?? []) if (matches(labels)) found.set(id, labels);
    }
    return found;
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
    this.#byName.clear();
    this.#unsaved = [];
    this.#nextId = 1;
    for (const { seriesId, name, labels } of rows) {
      this.#ids.set(`${name}${labels}`, seriesId);
      this.#describe(seriesId, name, labels);
      this.#nextId = Math.max(this.#nextId, seriesId + 1);
    }
  }

  forget(rows: readonly SeriesRow[]): void {
    for (const { seriesId, name, labels } of rows) {
      this.#ids.delete(`${name}${labels}`);
      const named = this.#byName.get(name);
      named?.delete(seriesId);
      if (named?.size === 0) this.#byName.delete(name);
    }
  }

  #describe(seriesId: number, name: string, labels: string): void {
    const named = this.#byName.get(name) ?? new Map<number, Labels>();
    this.#byName.set(name, named);
    named.set(seriesId, { __name__: name, ...JSON.parse(labels) });
  }
}

function labelsText(labels: Labels): string {
  const keys = Object.keys(labels).filter((key) => labels[key] !== '' && key !== '__name__');
  return JSON.stringify(Object.fromEntries(keys.sort().map((key) => [key, labels[key]])));
}
