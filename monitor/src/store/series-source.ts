// Samples for PromQL, straight from the file.

import type { SeriesSource } from '../model.ts';
import { type Labels, LimitError, type Range, type Series } from '../model.ts';
import type { Database } from './database.ts';
import { durationMsMaxDefault, numbersOf } from './rows.ts';
import type { SeriesIndex } from './series-index.ts';

/** What one question may read: 17 bytes each. */
const samplesMax = 5_000_000;

const inRange = 'at_ms BETWEEN ? AND ?';

export function fileSeriesSource(database: () => Database, index: SeriesIndex): SeriesSource {
  return {
    labelSets: async (matchers, range, signal) => {
      const open = database();
      const known = index.find(matchers);
      const alive = await aliveIn(open, rounded(range), signal);
      return [...known].filter(([seriesId]) => alive.has(seriesId)).map(([, labels]) => labels);
    },
    select: async (matchers, range, signal) => {
      const open = database();
      const labels = index.find(matchers);
      if (labels.size === 0) return [];
      return await samplesOf(open, { range: rounded(range), labels }, signal);
    },
  };
}

/** The series with samples in a range. */
async function aliveIn(
  database: Database,
  { fromMs, toMs }: Range,
  signal?: AbortSignal,
): Promise<ReadonlySet<number>> {
  const alive = new Set<number>();
  const sql = `SELECT DISTINCT series_id::DOUBLE FROM samples WHERE ${inRange}`;
  const question = { parameters: [fromMs, toMs], durationMsMax: durationMsMaxDefault, signal };
  await database.read({ sql, ...question }, (chunk) => {
    for (const seriesId of numbersOf(chunk, 0)) alive.add(seriesId);
    return 'more';
  });
  return alive;
}

/** In the order of the labels. Sorting here what is hardly out of order costs less than in SQL. */
async function samplesOf(
  database: Database,
  question: { range: Range; labels: ReadonlyMap<number, Labels> },
  signal?: AbortSignal,
): Promise<Series[]> {
  const { range, labels } = question;
  const sql = `SELECT series_id::DOUBLE, at_ms::DOUBLE, value, stale::INTEGER::DOUBLE FROM samples
    WHERE ${inRange} AND series_id IN (SELECT unnest(?::INTEGER[]))`;
  const parameters = [range.fromMs, range.toMs, `[${[...labels.keys()]}]`];
  const durationMsMax = durationMsMaxDefault;
  const builders = new Map<number, SeriesBuilder>();
  let samples = 0;
  await database.read({ sql, parameters, durationMsMax, signal }, (chunk) => {
    const [ids, instants, values, stales] = [0, 1, 2, 3].map((column) => numbersOf(chunk, column));
    if (!ids || !instants || !values || !stales) return 'enough';
    samples += ids.length;
    if (samples > samplesMax) {
      throw new LimitError(
        `More than ${samplesMax} samples would be read; name more labels or a shorter time.`,
      );
    }
    for (let row = 0; row < ids.length; row += 1) {
      const seriesId = ids[row] ?? 0;
      let builder = builders.get(seriesId);
      if (builder === undefined) {
        builder = new SeriesBuilder();
        builders.set(seriesId, builder);
      }
      builder.add(instants[row] ?? 0, values[row] ?? Number.NaN, stales[row] === 1);
    }
    return 'more';
  });
  return [...labels].flatMap(([seriesId, known]) => {
    const builder = builders.get(seriesId);
    return builder === undefined ? [] : [builder.build(known)];
  });
}

const rowsAtFirst = 32;

/**
 * One series in the making, outside of the heap that JavaScript has little of. Of two samples at one
 * instant the one that came later counts.
 */
class SeriesBuilder {
  #atMs = new Float64Array(rowsAtFirst);
  #values = new Float64Array(rowsAtFirst);
  #rows = 0;
  /** Rows at which the series ended. */
  readonly #stale = new Set<number>();
  #ascending = true;

  add(atMs: number, value: number, stale: boolean): void {
    const row = this.#rows;
    if (row === this.#atMs.length) {
      this.#atMs = larger(this.#atMs);
      this.#values = larger(this.#values);
    }
    if (row > 0 && (this.#atMs[row - 1] ?? 0) >= atMs) this.#ascending = false;
    this.#atMs[row] = atMs;
    this.#values[row] = value;
    if (stale) this.#stale.add(row);
    this.#rows += 1;
  }

  build(labels: Labels): Series {
    const instants = this.#atMs.subarray(0, this.#rows);
    const all = this.#values.subarray(0, this.#rows);
    if (this.#ascending && this.#stale.size === 0) return { labels, atMs: instants, values: all };
    const rows = this.#ascending ? [...instants.keys()] : inOrder(instants);
    const kept = rows.filter((row) => !this.#stale.has(row));
    const ended = rows.filter((row) => this.#stale.has(row));
    const instant = (row: number): number => instants[row] ?? 0;
    return {
      labels,
      atMs: Float64Array.from(kept, instant),
      values: Float64Array.from(kept, (row) => all[row] ?? Number.NaN),
      ...(ended.length === 0 ? {} : { endedAtMs: Float64Array.from(ended, instant) }),
    };
  }
}

function larger(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const made = new Float64Array(array.length * 2);
  made.set(array);
  return made;
}

/** The rows by their instants; of equal ones the last. */
function inOrder(atMs: Float64Array): number[] {
  const at = (row: number | undefined): number => atMs[row ?? -1] ?? Number.NaN;
  const rows = [...atMs.keys()].sort((a, b) => at(a) - at(b) || a - b);
  return rows.filter((row, i) => at(rows[i + 1]) !== at(row));
}

/** Both ends belong to it, so it may only shrink. */
function rounded({ fromMs, toMs }: Range): Range {
  return { fromMs: Math.ceil(fromMs), toMs: Math.floor(toMs) };
}
