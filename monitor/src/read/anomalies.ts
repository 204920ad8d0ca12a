// What is unusual now, each with the points or lines that show it.
//
// A1. A series is unusual when the median of its latest five values lies far outside of its
//     baseline. A single wild value, a pause of the garbage collector for example, moves no median.
// A2. A series changed when its level moved for good at some point of the window (change-points.ts).
//     A change explains the level that it led to: of the two, one is told.
// A3. A template of log lines is new when so many of its lines in the window would be a strange
//     chance if they came as often before it: p = (window ÷ (window + before))^lines. It vanished
//     when, from a steady rate before, as many would have come that none at all is as strange:
//     p = e^−expected.
// A4. Every score is on one scale, from 0: 10 for a series ten spreads away, or a chance of 1 in
//     10¹⁰. Findings are sorted by it.

import type { LogRecord } from '../model.ts';
import { type Baseline, type BaselineLimits, baselineAt, type Points } from './baseline.ts';
import { type ChangePoint, changePointsOf } from './change-points.ts';
import type { TemplateGroup } from './log-templates.ts';
import { medianOf, plain } from './numbers.ts';

/** A series that is watched, and how it is spoken of. */
export type WatchedSeries = {
  name: string;
  labels: Readonly<Record<string, string>>;
  unit: string;
  points: Points;
  /** A rate of events: chance alone spreads it. */
  isRate: boolean;
  /** Movements smaller than this mean nothing, in the unit of the series. */
  spreadMin: number;
};

export type SeriesAnomaly = {
  kind: 'level' | 'change';
  name: string;
  labels: Readonly<Record<string, string>>;
  score: number;
  atMs: number;
  sentence: string;
  before: number;
  now: number;
  spread: number;
  points: { atMs: number; value: number }[];
};
export type LogAnomaly = {
  kind: 'new_template' | 'vanished_template';
  score: number;
  atMs: number;
  sentence: string;
  templateId: string;
  template: string;
  services: string[];
  count: number;
  lines: LogRecord[];
};
export type Anomaly = SeriesAnomaly | LogAnomaly;

const latestCount = 5;
const evidenceMax = 60;
const levelSpreadsMin = 4;
const changeSpreadsMin = 4;
const spreadShareMin = 0.05;
const baselineCountMin = 20;
const changePMax = 1e-4;
/** Points before the window that a change is judged against. */
const changeBeforeMax = 120;
const templateScoreMin = 4;

/** What is unusual about a series in the last `windowMs` of its points, or undefined. */
export function seriesAnomalyOf(
  series: WatchedSeries,
  windowMs: number,
): SeriesAnomaly | undefined {
  const { startMs, stepMs, values } = series.points;
  const endMs = startMs + values.length * stepMs;
  const windowFromMs = endMs - windowMs;
  const limits: BaselineLimits = {
    countMin: baselineCountMin,
    spreadShareMin,
    spreadMin: series.spreadMin,
    ...(series.isRate ? { eventsStepS: stepMs / 1000 } : {}),
  };
  const baseline = baselineAt(series.points, windowFromMs, limits);
  if (baseline === undefined) return undefined;
  return changeOf(series, baseline, windowFromMs) ?? levelOf(series, baseline);
}

function levelOf(series: WatchedSeries, baseline: Baseline): SeriesAnomaly | undefined {
  const { points } = series;
  const { values } = points;
  const latest = values.subarray(-latestCount).filter((value) => !Number.isNaN(value));
  if (latest.length < latestCount) return undefined;
  const now = medianOf(latest);
  const score = Math.abs(now - baseline.median) / baseline.spread;
  if (score < levelSpreadsMin) return undefined;
  const atMs = points.startMs + (values.length - latestCount) * points.stepMs;
  const than = baseline.daily ? 'usual at this time of day' : 'usual';
  const direction = now > baseline.median ? 'higher' : 'lower';
  return {
    ...described(series, baseline, now, score, atMs),
    kind: 'level',
    sentence:
      `${titleOf(series)} is ${direction} than ${than}: ${show(now, series)}, ` +
      `usually ${show(baseline.median, series)} ± ${show(baseline.spread, series)}.`,
  };
}

function changeOf(
  series: WatchedSeries,
  baseline: Baseline,
  windowFromMs: number,
): SeriesAnomaly | undefined {
  // The rhythm of the day moves levels too; with it known, only the level is judged.
  if (baseline.daily) return undefined;
  const { startMs, stepMs, values } = series.points;
  const windowFrom = Math.floor((windowFromMs - startMs) / stepMs);
  const from = Math.max(0, windowFrom - changeBeforeMax);
  const [change] = changePointsOf(values.subarray(from), {
    spreadMin: baseline.spread,
    spreadsMin: changeSpreadsMin,
    pMax: changePMax,
  })
    .filter(({ index }) => index + from >= windowFrom)
    .sort((a, b) => scoreOf(b) - scoreOf(a));
  if (change === undefined) return undefined;
  const atMs = startMs + (from + change.index) * stepMs;
  const verb = change.after > change.before ? 'rose' : 'fell';
  return {
    ...described(series, baseline, change.after, scoreOf(change), atMs),
    kind: 'change',
    before: change.before,
    sentence:
      `${titleOf(series)} ${verb} from ${show(change.before, series)} to ` +
      `${show(change.after, series)} at ${clock(atMs)}.`,
  };
}

const scoreOf = ({ before, after, spread }: ChangePoint): number =>
  Math.abs(after - before) / spread;

function described(
  series: WatchedSeries,
  baseline: Baseline,
  now: number,
  score: number,
  atMs: number,
) {
  const { name, labels, points } = series;
  const { median: before, spread } = baseline;
  return { name, labels, score, atMs, before, now, spread, points: evidenceOf(points) };
}

function evidenceOf({ startMs, stepMs, values }: Points): SeriesAnomaly['points'] {
  const from = Math.max(0, values.length - evidenceMax);
  return Array.from(values.subarray(from), (value, i) => ({
    atMs: startMs + (from + i) * stepMs,
    value,
  })).filter(({ value }) => !Number.isNaN(value));
}

function titleOf({ name, labels }: WatchedSeries): string {
  const shown = Object.entries(labels).filter(([label]) => label !== '__name__');
  if (shown.length === 0) return name;
  return `${name} of ${shown.map(([label, value]) => `${label} ${value}`).join(', ')}`;
}

function show(value: number, { unit }: WatchedSeries): string {
  return unit === '' ? plain(value) : `${plain(value)} ${unit}`;
}

function clock(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

/** Lines of one template, before the window and in it. */
export type TemplateCounts = {
  group: Omit<TemplateGroup, 'count'>;
  before: number;
  /** Of the parts into which the time before was cut, those with such a line. */
  partsBefore: number;
  now: number;
  lines: readonly LogRecord[];
};
export type TemplateTimes = { beforeMs: number; partsCount: number; windowMs: number };

const linesMax = 5;
/** In this share of the time before, a template must have been seen to be called steady. */
const steadyShare = 0.8;

/** Whether a template is new or gone, or undefined. */
export function logAnomalyOf(
  { group, before, partsBefore, now, lines }: TemplateCounts,
  times: TemplateTimes,
): LogAnomaly | undefined {
  const { beforeMs, partsCount, windowMs } = times;
  if (beforeMs < windowMs) return undefined;
  const kind = before === 0 ? 'new_template' : 'vanished_template';
  const isSteady = partsBefore >= steadyShare * partsCount;
  if (kind === 'vanished_template' && (now > 0 || !isSteady)) return undefined;
  const score =
    kind === 'new_template'
      ? now * Math.log10((beforeMs + windowMs) / windowMs)
      : ((before * windowMs) / beforeMs) * Math.LOG10E;
  if (score < templateScoreMin) return undefined;
  const { id, template, services, firstAtUs, lastAtUs, level } = group;
  const who = services.join(', ');
  const minutes = plain(beforeMs / 60_000);
  return {
    kind,
    score,
    atMs: Math.floor((kind === 'new_template' ? firstAtUs : lastAtUs) / 1000),
    sentence:
      kind === 'new_template'
        ? `${who} logs something new (${level}): "${template}", ${now} times, and never in the ${minutes} minutes before.`
        : `${who} no longer logs "${template}" (${level}): ${before} times in the ${minutes} minutes before, and not once since.`,
    templateId: id,
    template,
    services: [...services],
    count: kind === 'new_template' ? now : before,
    lines: lines.slice(0, linesMax),
  };
}
