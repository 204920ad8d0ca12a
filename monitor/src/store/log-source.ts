// Lines for LogQL and for people, straight from the file.

import {
  type Attributes,
  type AttributeValue,
  LimitError,
  type LogLevel,
  type LogQuery,
  type LogRecord,
  type LogSource,
} from '../model.ts';
import type { TelemetryStore } from './face.ts';
import { attributesOf, type LogSearch, type Parameter, type ReadOptions } from './face.ts';
import { all, type Condition, matching } from './matching.ts';

/** Of one question. */
const linesMax = 100_000;
/** What stands in columns of its own, in a line of our services. */
const known = new Set(['level', 'time', 'service', 'instance', 'msg', 'trace_id', 'span_id']);

type LogRow = {
  at_us: number;
  service: string;
  instance: string;
  level: string;
  message: string;
  line: string;
  trace_id: string | null;
  span_id: string | null;
  attributes: string | null;
};

export function fileLogSource(rows: TelemetryStore['rows']): LogSource {
  return {
    select: (query, signal) => {
      const options = signal === undefined ? {} : { signal };
      return readLines(rows, conditionOf(query), query, options);
    },
    labelSets: (matchers, range, signal) => {
      const { sql, parameters } = conditionOf({ matchers, range });
      const columns = 'service, instance, level::VARCHAR AS level';
      return rows<Record<string, string>>(
        `SELECT DISTINCT ${columns} FROM logs WHERE ${sql} ORDER BY ALL`,
        parameters,
        signal === undefined ? {} : { signal },
      );
    },
  };
}

export async function searchLogs(
  rows: TelemetryStore['rows'],
  search: LogSearch,
  options: ReadOptions = {},
): Promise<LogRecord[]> {
  const conditions: Condition[] = [between(search.fromUs, search.toUs)];
  const add = (sql: string, value: Parameter | undefined): void => {
    if (value !== undefined) conditions.push({ sql, parameters: [value] });
  };
  add('service = ?', search.service);
  add('level >= ?::log_level', search.levelMin);
  add('trace_id = ?', search.traceId);
  add('contains(lower(line), lower(?))', search.text);
  return await readLines(rows, all(conditions), search, options);
}

async function readLines(
  rows: TelemetryStore['rows'],
  condition: Condition,
  { limit, newestFirst }: { limit: number; newestFirst: boolean },
  options: ReadOptions,
): Promise<LogRecord[]> {
  if (limit > linesMax) {
    throw new LimitError(`A limit of ${limit} lines is more than ${linesMax}; ask for fewer.`);
  }
  const order = newestFirst ? 'DESC' : 'ASC';
  const found = await rows<LogRow>(
    `SELECT at_us, service, instance, level::VARCHAR AS level, message, line, trace_id, span_id,
       attributes
     FROM logs WHERE ${condition.sql} ORDER BY at_us ${order}, rowid ${order} LIMIT ?`,
    [...condition.parameters, limit],
    { ...options, rowsMax: linesMax },
  );
  return found.map(recordOf);
}

function recordOf(row: LogRow): LogRecord {
  return {
    atUs: row.at_us,
    service: row.service,
    instance: row.instance,
    level: row.level as LogLevel,
    message: row.message,
    line: row.line,
    ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
    ...(row.span_id === null ? {} : { spanId: row.span_id }),
    attributes: row.attributes === null ? lineAttributes(row.line) : attributesOf(row.attributes),
  };
}

/** T3 of schema.ts */
function lineAttributes(line: string): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  if (!line.startsWith('{')) return attributes;
  for (const [key, value] of Object.entries(attributesOf(line))) {
    if (known.has(key) || value === null) continue;
    attributes[key] = typeof value === 'object' ? JSON.stringify(value) : value;
  }
  return attributes;
}

function conditionOf({
  matchers,
  range,
  contains = [],
  lacks = [],
}: Omit<LogQuery, 'limit' | 'newestFirst'>): Condition {
  const columns = new Map([
    ['service', 'service'],
    ['instance', 'instance'],
    ['level', 'level::VARCHAR'],
  ]);
  return all([
    between(Math.ceil(range.fromMs * 1_000), Math.floor(range.toMs * 1_000)),
    matching(matchers, (label) => ({
      sql: columns.get(label) ?? "''",
      parameters: [],
    })),
    ...contains.map((text) => ({ sql: 'contains(line, ?)', parameters: [text] })),
    ...lacks.map((text) => ({ sql: 'NOT contains(line, ?)', parameters: [text] })),
  ]);
}

function between(fromUs: number, toUs: number): Condition {
  return { sql: 'at_us BETWEEN ? AND ?', parameters: [fromUs, toUs] };
}
