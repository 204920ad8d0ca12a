// Which number a series has in the file, and which series there are: asked for samples of some, nobody
// has to look that up in the file.
//
// X1. A series is its name and its labels; an empty label is as good as none.
// X2. Never more than `seriesMax`, and none whose labels are longer than `labelsLengthMax`: the
//     samples of others are refused and counted. A service that is no part of the shop has at most a
//     fifth of them, and all such services together leave a fifth to the shop.
// X3. A series is `unsaved` until the transaction that wrote it has ended well.

import { partNames } from '@rushlight/contracts';
import type { Labels, Matcher } from '../model.ts';
import { matchLabels } from '../promql/matchers.ts';
import type { SeriesRow } from './columns.ts';

const labelsLengthMax = 8_192;
const refusedNamesMax = 5;

/** Series of no service are recorded by rules. */
export const ownServices: ReadonlySet<string> = new Set(['', ...partNames]);

/** How many series a service may have that is no part of the shop. */
const seriesPerService = (seriesMax: number): number => Math.ceil(seriesMax / 5);

/** Services whose series are too many, or all but ours. */
export type Crowded = ReadonlySet<string> | 'all';

export class SeriesIndex {
  readonly #seriesMax: number;
  readonly #ids = new Map<string, number>();
  /** By name and number; with `__name__` among the labels. */
  readonly #byName = new Map<string, Map<number, Labels>>();
  #unsaved: SeriesRow[] = [];
  #nextId = 1;
  /** Series of each service that is no part of the shop. */
  readonly #counts = new Map<string, number>();
  #othersCount = 0;
  #crowded = new Set<string>();
  #isCrowded = false;
  #refused = new Set<string>();

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
    if (key.length > labelsLengthMax || !this.#hasRoom(labels['service'] ?? '')) {
      if (this.#refused.size < refusedNamesMax) this.#refused.add(labels['service'] ?? '');
      return undefined;
    }
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

  /** Who was refused a series since the last call; the first few. */
  takeRefused(): ReadonlySet<string> {
    const refused = this.#refused;
    this.#refused = new Set();
    return refused;
  }

  /** Whose ended series are in the way of new ones; undefined when nobody's. */
  crowded(): Crowded | undefined {
    if (this.#isCrowded) return 'all';
    return this.#crowded.size > 0 ? this.#crowded : undefined;
  }

  /** What could be made room for was. */
  relieved(): void {
    this.#crowded = new Set();
    this.#isCrowded = false;
  }

  /** What the file knows, instead of everything that was known. */
  replace(rows: readonly SeriesRow[]): void {
    this.#ids.clear();
    this.#byName.clear();
    this.#counts.clear();
    this.#othersCount = 0;
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
      const service = named?.get(seriesId)?.['service'];
      if (service !== undefined) this.#count(service, -1);
      named?.delete(seriesId);
      if (named?.size === 0) this.#byName.delete(name);
    }
  }

  #describe(seriesId: number, name: string, labels: string): void {
    const named = this.#byName.get(name) ?? new Map<number, Labels>();
    this.#byName.set(name, named);
    const described: Labels = { __name__: name, ...JSON.parse(labels) };
    named.set(seriesId, described);
    this.#count(described['service'] ?? '', 1);
  }

  /** X2 */
  #hasRoom(service: string): boolean {
    if (ownServices.has(service)) {
      if (this.#ids.size < this.#seriesMax) return true;
      this.#isCrowded = true;
      return false;
    }
    const most = seriesPerService(this.#seriesMax);
    if (this.#othersCount >= this.#seriesMax - most || this.#ids.size >= this.#seriesMax) {
      this.#isCrowded = true;
      return false;
    }
    if ((this.#counts.get(service) ?? 0) < most) return true;
    this.#crowded.add(service);
    return false;
  }

  #count(service: string, by: 1 | -1): void {
    if (ownServices.has(service)) return;
    this.#othersCount += by;
    const count = (this.#counts.get(service) ?? 0) + by;
    if (count > 0) this.#counts.set(service, count);
    else this.#counts.delete(service);
  }
}

function labelsText(labels: Labels): string {
  const keys = Object.keys(labels).filter((key) => labels[key] !== '' && key !== '__name__');
  return JSON.stringify(Object.fromEntries(keys.sort().map((key) => [key, labels[key]])));
}
