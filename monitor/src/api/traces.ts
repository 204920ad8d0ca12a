// Traces: search, and one of them as a waterfall.

import type { Handlers } from '@rushlight/chassis';
import { ApiError, type monitorApi } from '@rushlight/contracts';
import type { Span } from '../model.ts';
import { type Waterfall, waterfallOf } from '../read/waterfall.ts';
import type { TraceSummary } from '../store/face.ts';
import { type ApiParts, inUs, rangeOf } from './parts.ts';
import { isoOfUs } from './times.ts';
import { inMs, logLineOf, spanViewOf } from './views.ts';

type TraceHandlers = Pick<Handlers<typeof monitorApi>, 'searchTraces' | 'getTrace'>;

const logsMax = 500;
/** Traces from which linked spans are looked up. */
const linkedTracesMax = 20;
/** A batch lies around the work that is in it: so far before and after it is looked for. */
const aroundUs = 5_000_000;
/** And so far the spans that are named by a link. */
const linkedUs = 3_600_000_000;
const aroundSpansMax = 5_000;

export function traceHandlers({ env, store }: ApiParts): TraceHandlers {
  return {
    searchTraces: async ({ query }) => {
      const { service, name, minDurationMs, status, attribute, limit } = query;
      const cut = attribute?.indexOf('=') ?? 0;
      const traces = await store.reads.searchTraces({
        ...inUs(rangeOf(query, env.nowMs())),
        ...(service === undefined ? {} : { service }),
        ...(name === undefined ? {} : { name }),
        ...(minDurationMs === undefined ? {} : { durationUsMin: minDurationMs * 1000 }),
        ...(status === undefined ? {} : { status }),
        ...(attribute === undefined
          ? {}
          : { attributes: { [attribute.slice(0, cut)]: attribute.slice(cut + 1) } }),
        limit,
      });
      return { status: 200, body: { traces: traces.map(hitOf) } };
    },
    getTrace: async ({ params }) => {
      const { traceId } = params;
      const spans = await store.reads.spansOfTrace(traceId);
      const linked = await linkedSpans(store.reads, spans);
      const waterfall = waterfallOf(spans, linked);
      if (waterfall === undefined) throw new ApiError('trace_not_found', { traceId });
      const lines = await store.reads.searchLogs({
        fromUs: waterfall.startUs - 60_000_000,
        toUs: waterfall.startUs + waterfall.durationUs + 60_000_000,
        traceId,
        limit: logsMax,
        newestFirst: false,
      });
      return { status: 200, body: { ...viewOf(waterfall), logs: lines.map(logLineOf) } };
    },
  };
}

function hitOf({ startUs, durationUs, ...rest }: TraceSummary) {
  return { ...rest, at: isoOfUs(startUs), durationMs: inMs(durationUs) };
}

/** Spans of other traces that may be linked with these: those that they name, and those around. */
async function linkedSpans(
  reads: ApiParts['store']['reads'],
  spans: readonly Span[],
): Promise<Span[]> {
  const [first] = spans;
  if (first === undefined) return [];
  const named = spans.flatMap(({ links }) => links.map(({ traceId }) => traceId));
  const others = [...new Set(named)].filter((traceId) => traceId !== first.traceId);
  const starts = spans.map(({ startUs }) => startUs);
  const ends = spans.map(({ startUs, durationUs }) => startUs + durationUs);
  const [fromUs, toUs] = [leastOf(starts), -leastOf(ends.map((endUs) => -endUs))];
  const [linked, around] = await Promise.all([
    others.length === 0
      ? []
      : reads.spansOfTraces(others.slice(0, linkedTracesMax), {
          fromUs: fromUs - linkedUs,
          toUs: toUs + linkedUs,
        }),
    reads.spansBetween({
      ...{ fromUs: fromUs - aroundUs, toUs: toUs + aroundUs },
      limit: aroundSpansMax,
    }),
  ]);
  const all = [...linked, ...around];
  return [...new Map(all.map((span) => [span.traceId + span.spanId, span])).values()];
}

const leastOf = (values: readonly number[]): number =>
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);

function viewOf(waterfall: Waterfall) {
  const { traceId, startUs, durationUs, incomplete, errors, services } = waterfall;
  return {
    ...{ traceId, incomplete, errors, services },
    at: isoOfUs(startUs),
    durationMs: inMs(durationUs),
    spans: waterfall.rows.map((row) => ({
      ...spanViewOf(row.span),
      depth: row.depth,
      offsetMs: inMs(row.offsetUs),
      selfMs: inMs(row.selfUs),
      criticalMs: inMs(row.criticalUs),
      skewMs: inMs(row.skewUs),
      orphaned: row.orphaned,
    })),
    criticalPath: waterfall.criticalPath.map(({ offsetUs, durationUs: longUs, ...rest }) => ({
      ...rest,
      offsetMs: inMs(offsetUs),
      durationMs: inMs(longUs),
    })),
    linked: waterfall.linked.map(({ span, spanIds }) => ({ span: spanViewOf(span), spanIds })),
  };
}
