// What is unusual now: every watched series against its past, and the templates of the logs.
//
// N1. Each look reads two hours of what is watched, and the same time of day on the days before
//     once there are two of them; it is remembered for `rememberedMs`, whoever asks.
// N2. Looks run one at a time. What one has evaluated the next one does not evaluate again.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import { LimitError, type LogRecord, type Range, type Series } from '../model.ts';
import { evaluateRange } from '../promql/evaluate.ts';
import {
  type Anomaly,
  logAnomalyOf,
  seriesAnomalyOf,
  type TemplateCounts,
  type WatchedSeries,
} from '../read/anomalies.ts';
import { LogTemplates } from '../read/log-templates.ts';
import { type ApiParts, inUs } from './parts.ts';
import { RollingRange } from './rolling-range.ts';
import { iso } from './times.ts';
import { logLineOf } from './views.ts';
import { type WatchedExpression, watchedExpressions } from './watched-expressions.ts';

type Look = {
  range: Range;
  looked: { series: number; templates: number; skipped: string[] };
  anomalies: (Anomaly & { unit?: string })[];
};

const minuteMs = 60_000;
const dayMs = 86_400_000;
const windowMs = 15 * minuteMs;
const historyMs = 2 * 60 * minuteMs;
const stepMs = minuteMs;
const besideMs = 40 * minuteMs;
const daysMax = 6;
const rememberedMs = minuteMs;
const logWindowMs = 10 * minuteMs;
const logBeforeMs = 60 * minuteMs;
const logParts = 6;
const linesMax = 20_000;
const anomaliesMax = 100;

/** One look at a time, remembered for a while (N1, N2); `toMs` is now unless given. */
export type Looking = (toMs?: number) => Promise<Look>;

export function anomalyHandlers(
  looking: Looking,
): Pick<Handlers<typeof monitorApi>, 'listAnomalies'> {
  return {
    listAnomalies: async ({ query }) => {
      const toMs = query.to === undefined ? undefined : Date.parse(query.to);
      const { range, looked, anomalies } = await looking(toMs);
      const { fromMs, toMs: endMs } = range;
      const body = {
        ...{ from: iso(fromMs), to: iso(endMs), looked },
        anomalies: anomalies.slice(0, anomaliesMax).map(viewOf),
      };
      return { status: 200, body };
    },
  };
}

export function createLooking(parts: ApiParts): Looking {
  let newest: { look: Promise<Look>; atMs: number } | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const histories: Histories = new Map();
  const queued = (toMs: number, kept: Histories): Promise<Look> => {
    const made = running.then(() => look(parts, toMs, kept));
    running = made.catch(() => undefined);
    return made;
  };
  return (toMs) => {
    if (toMs !== undefined) return queued(toMs, new Map());
    const nowMs = parts.env.nowMs();
    // Either way: the clock may be set back.
    const isNew = newest !== undefined && Math.abs(nowMs - newest.atMs) < rememberedMs;
    if (newest !== undefined && isNew) return newest.look;
    const fresh = { look: queued(nowMs, histories), atMs: nowMs };
    newest = fresh;
    fresh.look.catch(() => {
      if (newest === fresh) newest = undefined;
    });
    return fresh.look;
  };
}

async function look(parts: ApiParts, toMs: number, histories: Histories): Promise<Look> {
  const endMs = Math.floor(toMs / stepMs) * stepMs;
  const anomalies: Look['anomalies'] = [];
  const skipped: string[] = [];
  let series = 0;
  const days = await daysBefore(parts, endMs);
  for (const watched of watchedExpressions) {
    const question = { endMs, days, histories };
    const history = await historyOf(parts, watched, question).catch((error: unknown) => {
      if (!(error instanceof LimitError)) throw error;
      skipped.push(watched.name);
      return [];
    });
    for (const one of history) {
      series += 1;
      const found = seriesAnomalyOf(one, windowMs);
      if (found) anomalies.push({ ...found, unit: one.unit });
    }
  }
  const templates = await templateCounts(parts, toMs);
  const times = { beforeMs: templates.beforeMs, partsCount: logParts, windowMs: logWindowMs };
  for (const counts of templates.counts) {
    const found = logAnomalyOf(counts, times);
    if (found) anomalies.push(found);
  }
  return {
    range: { fromMs: endMs - windowMs, toMs: endMs },
    looked: { series, templates: templates.counts.length, skipped },
    anomalies: anomalies.sort((a, b) => b.score - a.score),
  };
}

/** What was evaluated for the looks before, by expression and day; see rolling-range.ts. */
type Histories = Map<string, RollingRange>;

/** The series of one expression, with gaps where nothing was read. */
async function historyOf(
  { series }: ApiParts,
  { expr, name, unit, isRate, spreadMin }: WatchedExpression,
  { endMs, days, histories }: { endMs: number; days: readonly number[]; histories: Histories },
): Promise<WatchedSeries[]> {
  const windows = [
    { day: 0, fromMs: endMs - historyMs, toMs: endMs },
    ...days.map((day) => {
      const middleMs = endMs - day * dayMs;
      return { day, fromMs: middleMs - besideMs, toMs: middleMs + besideMs };
    }),
  ];
  const startMs = windows.reduce((least, { fromMs }) => Math.min(least, fromMs), endMs);
  const count = Math.round((endMs - startMs) / stepMs) + 1;
  const valuesOf = new Map<string, { labels: Series['labels']; values: Float64Array }>();
  for (const { day, ...window } of windows) {
    const rolling = histories.get(`${day} ${expr}`) ?? new RollingRange(stepMs);
    histories.set(`${day} ${expr}`, rolling);
    const found = await rolling.move(window, (part) =>
      evaluateRange(expr, { ...part, stepMs }, series),
    );
    for (const { labels, values } of found) {
      const key = JSON.stringify(labels);
      const made = valuesOf.get(key) ?? {
        labels,
        values: new Float64Array(count).fill(Number.NaN),
      };
      valuesOf.set(key, made);
      made.values.set(values, (window.fromMs - startMs) / stepMs);
    }
  }
  return [...valuesOf.values()].map(({ labels, values }) => ({
    ...{ name, unit, isRate, spreadMin },
    labels: Object.fromEntries(Object.entries(labels).filter(([label]) => label !== '__name__')),
    points: { startMs, stepMs, values },
  }));
}

/** The days before on which something was watched at this time, once there are two of them. */
async function daysBefore({ series }: Pick<ApiParts, 'series'>, endMs: number): Promise<number[]> {
  const up = { label: '__name__', operator: '=' as const, value: 'up' };
  const days: number[] = [];
  for (let day = 1; day <= daysMax; day++) {
    const toMs = endMs - day * dayMs;
    const found = await series.labelSets([up], { fromMs: toMs - minuteMs, toMs });
    if (found.length > 0) days.push(day);
  }
  return days.length < 2 ? [] : days;
}

/** Templates of the lines of the last minutes and of the hour before, counted together. */
async function templateCounts(
  { store }: ApiParts,
  toMs: number,
): Promise<{ counts: TemplateCounts[]; beforeMs: number }> {
  const windowFromMs = toMs - logWindowMs;
  const read = (fromMs: number, untilMs: number): Promise<LogRecord[]> =>
    store.reads.searchLogs({
      ...inUs({ fromMs, toMs: untilMs }),
      limit: linesMax,
      newestFirst: true,
    });
  const before = await read(windowFromMs - logBeforeMs, windowFromMs - 1);
  const now = await read(windowFromMs, toMs);
  const truncated = Math.max(before.length, now.length) >= linesMax;
  const [oldest] = before.slice(-1);
  if (oldest === undefined || truncated) return { counts: [], beforeMs: 0 };
  const beforeMs = windowFromMs - oldest.atUs / 1000;
  const templates = new LogTemplates();
  const tallies = new Map<string, { before: number; parts: Set<number>; lines: LogRecord[] }>();
  const tallyOf = (id: string) => {
    const tally = tallies.get(id) ?? { before: 0, parts: new Set(), lines: [] };
    tallies.set(id, tally);
    return tally;
  };
  for (const record of before) {
    const tally = tallyOf(templates.add(record));
    tally.before += 1;
    const agoMs = windowFromMs - record.atUs / 1000;
    tally.parts.add(Math.min(logParts - 1, Math.floor((agoMs / beforeMs) * logParts)));
    if (tally.lines.length < 5) tally.lines.push(record);
  }
  for (const record of now) {
    const tally = tallyOf(templates.add(record));
    if (tally.before === 0 && tally.lines.length < 5) tally.lines.push(record);
  }
  const counts = templates.groups().map(({ count, ...group }) => {
    const tally = tallyOf(group.id);
    const { before: ofBefore, parts, lines } = tally;
    const ofNow = count - ofBefore;
    return { group, before: ofBefore, partsBefore: parts.size, now: ofNow, lines };
  });
  return { counts, beforeMs };
}

function viewOf(anomaly: Anomaly & { unit?: string }) {
  const { kind, score, atMs, sentence } = anomaly;
  const common = { kind, score, at: iso(atMs), sentence };
  switch (anomaly.kind) {
    case 'level':
    case 'change': {
      const { name, labels, before, now, spread, points, unit = '' } = anomaly;
      const pairs = points.map(({ atMs: at, value }): [number, number] => [at, value]);
      const series = { name, labels: { ...labels }, unit, before, now, spread, points: pairs };
      return { ...common, series };
    }
    case 'new_template':
    case 'vanished_template': {
      const { templateId, template, services, count, lines } = anomaly;
      const log = { templateId, template, services, count, lines: lines.map(logLineOf) };
      return { ...common, log };
    }
  }
}
