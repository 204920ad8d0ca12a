// Samples for PromQL, straight from the file.

import type { SeriesSource } from '../model.ts';
import { type Labels, LimitError, type Matcher, type Range, type Series } from '../model.ts';
import type { Database } from './database.ts';
import { type Condition, matching } from './matching.ts';
import { durationMsMaxDefault, numbersOf } from './rows.ts';

/** What one question may read: 17 bytes each. */
const samplesMax = 5_000_000;

const inRange = 'at_ms BETWEEN ? AND ?';

export function fileSeriesSource(database: () => Database): SeriesSource {
  const labelsById = async (
    condition: Condition,
    range: Range,
    signal?: AbortSignal,
  ): Promise<Map<number, Labels>> => {
    const found = new Map<number, Labels>();
    const sql = `SELECT series_id, name, labels FROM series WHERE ${condition.sql} AND series_id IN
      (SELECT series_id FROM samples WHERE ${inRange}) ORDER BY series_id`;
    const parameters = [...condition.parameters, range.fromMs, range.toMs];
    const durationMsMax = durationMsMaxDefault;
    await database().read({ sql, parameters, durationMsMax, signal }, (chunk) => {
      for (const [id, name, labels] of chunk.getRows()) {
        found.set(Number(id), { __name__: String(name), ...JSON.parse(String(labels)) });
      }
      return 'more';
    });
    return found;
  };

  return {
    labelSets: async (matchers, range, signal) => {
      const found = await labelsById(conditionOf(matchers), rounded(range), signal);
      return [...found.values()];
    },
    select: async (matchers, range, signal) => {
      const condition = conditionOf(matchers);
      const whole = rounded(range);
      const labels = await labelsById(condition, whole, signal);
      if (labels.size === 0) return [];
      return await samplesOf(database(), { condition, range: whole, labels }, signal);
    },
  };
}

async function samplesOf(
  database: Database,
  question: { condition: Condition; range: Range; labels: ReadonlyMap<number, Labels> },
  signal?: AbortSignal,
): Promise<Series[]> {
  const { condition, range, labels } = question;
  const sql = `SELECT series_id::DOUBLE, at_ms::DOUBLE, value, stale::INTEGER FROM samples
    WHERE ${inRange} AND series_id IN (SELECT series_id FROM series WHERE ${condition.sql})
    ORDER BY series_id, at_ms, rowid`;
  const parameters = [range.fromMs, range.toMs, ...condition.parameters];
  const durationMsMax = durationMsMaxDefault;
  const made: Series[] = [];
  let building: SeriesBuilder | undefined;
  let samples = 0;
  const end = (): void => {
    const known = building === undefined ? undefined : labels.get(building.seriesId);
    if (building !== undefined && known !== undefined) made.push(building.build(known));
  };
  await database.read({ sql, parameters, durationMsMax, signal }, (chunk) => {
    samples += chunk.rowCount;
    if (samples > samplesMax) {
      throw new LimitError(
        `More than ${samplesMax} samples would be read; name more labels or a shorter time.`,
      );
    }
    const [ids, instants, values, stales] = [0, 1, 2, 3].map((column) => numbersOf(chunk, column));
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const seriesId = ids?.[row] ?? 0;
      if (building?.seriesId !== seriesId) {
        end();
        building = new SeriesBuilder(seriesId);
      }
      building.add(instants?.[row] ?? 0, values?.[row] ?? Number.NaN, stales?.[row] === 1);
    }
    return 'more';
  });
  end();
  return made;
}

/** One series in the making. Of two samples at one instant the later one counts. */
class SeriesBuilder {
  readonly seriesId: number;
  readonly #atMs: number[] = [];
  readonly #values: number[] = [];
  readonly #endedAtMs: number[] = [];

  constructor(seriesId: number) {
    this.seriesId = seriesId;
  }

  add(atMs: number, value: number, stale: boolean): void {
    if (this.#atMs.at(-1) === atMs) {
      this.#atMs.pop();
      this.#values.pop();
    }
    if (this.#endedAtMs.at(-1) === atMs) this.#endedAtMs.pop();
    if (stale) {
      this.#endedAtMs.push(atMs);
    } else {
      this.#atMs.push(atMs);
      this.#values.push(value);
    }
  }

  build(labels: Labels): Series {
    const series = {
      labels,
      atMs: Float64Array.from(this.#atMs),
      values: Float64Array.from(this.#values),
    };
    if (this.#endedAtMs.length === 0) return series;
    return { ...series, endedAtMs: Float64Array.from(this.#endedAtMs) };
  }
}

function conditionOf(matchers: readonly Matcher[]): Condition {
  return matching(matchers, (label) =>
    label === '__name__'
      ? { sql: 'name', parameters: [] }
      : { sql: `coalesce(json_extract_string(labels, ?), '')`, parameters: [pathOf(label)] },
  );
}

/** A label as a JSON pointer (RFC 6901), which no character can leave. */
function pathOf(label: string): string {
  return `/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Both ends belong to it, so it may only shrink. */
function rounded({ fromMs, toMs }: Range): Range {
  return { fromMs: Math.ceil(fromMs), toMs: Math.floor(toMs) };
}
