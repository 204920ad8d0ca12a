// The questions that more than one reader asks, as SQL.

import type { Span, SpanEvent, SpanKind, SpanLink } from '../model.ts';
import type {
  Parameter,
  ReadOptions,
  ServiceEdge,
  TelemetryReads,
  TelemetryStore,
  TraceSearch,
  TraceSummary,
} from './face.ts';
import { attributesOf } from './face.ts';
import { searchLogs } from './log-source.ts';
import { all, type Condition } from './matching.ts';

/** Of one trace, or of several at once; what comes later is left out. */
const spansOfTraceMax = 20_000;
const spansMax = 100_000;
const tracesMax = 1_000;

/** Of the time of a search: mostly there are enough traces in the newest part of it. */
const newestShares = [1 / 16, 1 / 4];

type Rows = TelemetryStore['rows'];

type SpanRow = {
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  service: string;
  instance: string;
  name: string;
  kind: string;
  start_us: number;
  duration_us: number;
  status: string;
  status_message: string | null;
  attributes: string;
  events: string | null;
  links: string | null;
};

export function telemetryReads(rows: Rows): TelemetryReads {
  return {
    spansOfTrace: async (traceId, options) => {
      const found = await rows<SpanRow>(
        'FROM spans WHERE trace_id = ? ORDER BY start_us, rowid LIMIT ?',
        [traceId, spansOfTraceMax],
        options,
      );
      return found.map(spanOf);
    },
    spansOfTraces: async (traceIds, { fromUs, toUs }, options) => {
      const found = await rows<SpanRow>(
        `FROM spans WHERE start_us BETWEEN ? AND ?
           AND trace_id IN (SELECT unnest(string_split(?, ' '))) ORDER BY start_us, rowid LIMIT ?`,
        [fromUs, toUs, traceIds.join(' '), spansOfTraceMax],
        options,
      );
      return found.map(spanOf);
    },
    spansBetween: async ({ fromUs, toUs, service, name, limit }, options) => {
      const condition = all([
        startedBetween(fromUs, toUs),
        ...equal('service', service),
        ...equal('name', name),
      ]);
      const found = await rows<SpanRow>(
        `FROM spans WHERE ${condition.sql} ORDER BY start_us DESC, rowid DESC LIMIT ?`,
        [...condition.parameters, Math.min(limit, spansMax)],
        options,
      );
      return found.reverse().map(spanOf);
    },
    searchTraces: async (search, options) => {
      const longUs = search.toUs - search.fromUs;
      for (const share of newestShares) {
        const part = { ...search, fromUs: Math.floor(search.toUs - longUs * share) };
        const found = await searchTraces(rows, part, options);
        if (found.length >= Math.min(search.limit, tracesMax)) return found;
      }
      return await searchTraces(rows, search, options);
    },
    searchLogs: (search, options) => searchLogs(rows, search, options),
    serviceEdges: (range, options) => serviceEdges(rows, range, options),
    services: async ({ fromUs, toUs }, options) => {
      const found = await rows<{ service: string }>(
        `SELECT service FROM spans WHERE start_us BETWEEN ? AND ?
         UNION SELECT service FROM logs WHERE at_us BETWEEN ? AND ?
         ORDER BY service`,
        [fromUs, toUs, fromUs, toUs],
        options,
      );
      return found.map(({ service }) => service);
    },
  };
}

type TraceRow = {
  trace_id: string;
  start_us: number;
  duration_us: number;
  spans: number;
  errors: number;
  services: string;
  root_service: string;
  root_name: string;
  incomplete: boolean;
};

/** In two steps: what is costly to gather is gathered only for the traces that are answered. */
async function searchTraces(
  rows: Rows,
  search: TraceSearch,
  options?: ReadOptions,
): Promise<TraceSummary[]> {
  const within = startedBetween(search.fromUs, search.toUs);
  const wanted = wantedSpan(search);
  const isAnyTrace = wanted.length === 0;
  const hit = all([within, ...wanted]);
  const having = all([
    // To know each trace of the time beforehand takes as long as to look at each.
    ...(isAnyTrace ? [{ ...within, sql: `count_if(${within.sql}) > 0` }] : []),
    ...(search.durationUsMin === undefined
      ? []
      : [{ sql: 'duration_us >= ?', parameters: [search.durationUsMin] }]),
    ...(search.status === undefined ? [] : [{ sql: 'errors > 0', parameters: [] }]),
  ]);
  const around = [search.fromUs - aroundUs, search.toUs + aroundUs];
  const found = await rows<TraceRow>(
    `WITH found AS MATERIALIZED (
       SELECT trace_id, min(start_us) AS start_us,
         max(start_us + duration_us) - min(start_us) AS duration_us,
         count(*) AS spans, count(*) FILTER (status = 'error') AS errors
       FROM spans
       WHERE start_us BETWEEN ? AND ?
         ${isAnyTrace ? '' : `AND trace_id IN (SELECT trace_id FROM spans WHERE ${hit.sql})`}
       GROUP BY trace_id HAVING ${having.sql}
       ORDER BY start_us DESC, trace_id LIMIT ?
     ), described AS (
       SELECT trace_id, to_json(list_sort(list(DISTINCT service)))::VARCHAR AS services,
         arg_min(service, start_us) AS root_service, arg_min(name, start_us) AS root_name,
         bool_and(parent_span_id IS NOT NULL) AS incomplete
       FROM spans WHERE start_us BETWEEN ? AND ? AND trace_id IN (SELECT trace_id FROM found)
       GROUP BY trace_id
     )
     SELECT * FROM found JOIN described USING (trace_id) ORDER BY start_us DESC, trace_id`,
    [
      ...around,
      ...(isAnyTrace ? [] : hit.parameters),
      ...having.parameters,
      Math.min(search.limit, tracesMax),
      ...around,
    ],
    options,
  );
  return found.map(summaryOf);
}

/** The spans of a trace that is found are looked for so long before and after. */
const aroundUs = 300_000_000;

/** What one span of the trace has to be, besides its time. */
function wantedSpan(search: TraceSearch): Condition[] {
  const attributes = Object.entries(search.attributes ?? {}).map(
    ([key, value]): Condition => ({
      sql: 'json_extract_string(attributes, ?) = ?',
      parameters: [`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, value],
    }),
  );
  return [...equal('service', search.service), ...equal('name', search.name), ...attributes];
}

function summaryOf(row: TraceRow): TraceSummary {
  return {
    traceId: row.trace_id,
    startUs: row.start_us,
    durationUs: row.duration_us,
    spans: row.spans,
    errors: row.errors,
    services: JSON.parse(row.services),
    rootService: row.root_service,
    rootName: row.root_name,
    incomplete: row.incomplete,
  };
}

type EdgeRow = {
  caller: string;
  callee: string;
  calls: number;
  errors: number;
  p50_us: number;
  p99_us: number;
};

async function serviceEdges(
  rows: Rows,
  { fromUs, toUs }: { fromUs: number; toUs: number },
  options?: ReadOptions,
): Promise<ServiceEdge[]> {
  const found = await rows<EdgeRow>(
    `SELECT caller.service AS caller, callee.service AS callee, count(*) AS calls,
       count(*) FILTER (callee.status = 'error') AS errors,
       approx_quantile(callee.duration_us, 0.5) AS p50_us,
       approx_quantile(callee.duration_us, 0.99) AS p99_us
     FROM spans AS callee JOIN spans AS caller
       ON caller.span_id = callee.parent_span_id AND caller.trace_id = callee.trace_id
     WHERE callee.start_us BETWEEN ? AND ? AND caller.start_us BETWEEN ? AND ?
       AND callee.kind IN ('server', 'consumer') AND caller.service <> callee.service
     GROUP BY ALL ORDER BY caller, callee`,
    [fromUs, toUs, fromUs - aroundUs, toUs],
    options,
  );
  return found.map(({ p50_us, p99_us, ...edge }) => ({ ...edge, p50Us: p50_us, p99Us: p99_us }));
}

function startedBetween(fromUs: number, toUs: number): Condition {
  return {
    sql: 'start_us BETWEEN ? AND ?',
    parameters: [Math.ceil(fromUs), Math.floor(toUs)],
  };
}

function equal(column: string, value: Parameter | undefined): Condition[] {
  return value === undefined ? [] : [{ sql: `${column} = ?`, parameters: [value] }];
}

function spanOf(row: SpanRow): Span {
  return {
    traceId: row.trace_id,
    spanId: row.span_id,
    ...(row.parent_span_id === null ? {} : { parentSpanId: row.parent_span_id }),
    service: row.service,
    instance: row.instance,
    name: row.name,
    kind: row.kind as SpanKind,
    startUs: row.start_us,
    durationUs: row.duration_us,
    status: row.status as Span['status'],
    ...(row.status_message === null ? {} : { statusMessage: row.status_message }),
    attributes: attributesOf(row.attributes),
    events: row.events === null ? [] : (JSON.parse(row.events) as SpanEvent[]),
    links: row.links === null ? [] : (JSON.parse(row.links) as SpanLink[]),
  };
}
