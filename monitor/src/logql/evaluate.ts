// Answers to LogQL over a LogSource.
//
// G1. A range is open at its start and closed at its end, as in Loki.
// G2. Without `by`, an aggregation over lines keeps the labels of the stream, and those that an
//     aggregation around it groups by. Loki keeps every field that json found, which makes nearly
//     every line a series of its own. With `by` around it, sums and counts are the same as there.

import {
  type Labels,
  LimitError,
  type LogRecord,
  type LogSource,
  type Range,
  type Series,
} from '../model.ts';
import { aggregate } from '../promql/aggregate.ts';
import type { Matching } from '../promql/ast.ts';
import { QueryError } from '../promql/errors.ts';
import {
  checkSteps,
  evaluationLimits,
  type InstantSample,
  Points,
  type Steps,
  Turns,
} from '../promql/evaluation.ts';
import { type LabelSet, LabelTable, printLabels } from '../promql/label-sets.ts';
import { parseNumber } from '../promql/literals.ts';
import { betweenVectors, withNumber } from '../promql/operators.ts';
import type { VectorAt } from '../promql/vector.ts';
import type { LabelTest, LinesExpression, MetricExpression } from './ast.ts';
import { LineTurns } from './line-turns.ts';
import { NumbersByTime } from './numbers-by-time.ts';
import {
  compilePipeline,
  compileTest,
  errorLabel,
  type LineLabels,
  streamLabels,
} from './pipeline.ts';
import { readLines } from './read-lines.ts';

const byAllLabels: Matching = {
  by: 'ignoring',
  labels: [],
  cardinality: 'one-to-one',
  include: [],
};
/** Series that a metric of lines may have. */
const seriesMax = 5_000;

export type LogStream = { labels: Labels; lines: { atUs: number; line: string }[] };

/**
 * The lines that pass, by their labels, newest or oldest first.
 *
 * @throws QueryError, LimitError
 */
export async function evaluateLines(
  expression: LinesExpression,
  how: { range: Range; limit: number; newestFirst: boolean },
  source: LogSource,
  signal?: AbortSignal,
): Promise<LogStream[]> {
  const pipeline = compilePipeline(expression.stages);
  const streams = new Map<LabelSet, LogStream>();
  const table = new LabelTable();
  const turns = new LineTurns();
  let count = 0;
  for await (const page of readLines(expression, source, how, signal)) {
    for (const record of page) {
      if (turns.isOver) await turns.giveWay(signal);
      const labels = pipeline(record);
      if (labels === undefined) continue;
      const set = table.of(Object.fromEntries(labels));
      const stream = streams.get(set) ?? { labels: set.labels, lines: [] };
      streams.set(set, stream);
      stream.lines.push({ atUs: record.atUs, line: record.line });
      if (++count >= how.limit) return [...streams.values()];
    }
  }
  return [...streams.values()];
}

/** @throws QueryError, LimitError */
export async function evaluateMetric(
  expression: MetricExpression,
  atMs: number,
  source: LogSource,
  signal?: AbortSignal,
): Promise<InstantSample[]> {
  const vectorAt = await prepare(expression, { fromMs: atMs, toMs: atMs }, source, signal);
  return vectorAt(atMs).map(({ labels, value }) => ({ labels: labels.labels, value }));
}

/** @throws QueryError, LimitError: also for too many steps */
export async function evaluateMetricRange(
  expression: MetricExpression,
  steps: Steps,
  source: LogSource,
  signal?: AbortSignal,
): Promise<Series[]> {
  checkSteps(steps, evaluationLimits.stepsMax);
  const vectorAt = await prepare(expression, steps, source, signal);
  const points = new Points(evaluationLimits.pointsMax);
  const turns = new Turns();
  for (let atMs = steps.fromMs; atMs <= steps.toMs; atMs += steps.stepMs) {
    for (const { labels, value } of vectorAt(atMs)) points.add(labels, atMs, value);
    await turns.giveWay(signal);
  }
  return points.series();
}

async function prepare(
  expression: MetricExpression,
  range: Range,
  source: LogSource,
  signal: AbortSignal | undefined,
): Promise<VectorAt> {
  signal?.throwIfAborted();
  const table = new LabelTable();
  const compile = async (node: MetricExpression, wanted: readonly string[]): Promise<VectorAt> => {
    switch (node.kind) {
      case 'number':
      case 'vector':
        return () => [{ labels: table.empty, value: node.value }];
      case 'arithmetic': {
        const [left, right] = [await compile(node.left, wanted), await compile(node.right, wanted)];
        return arithmetic(node, left, right, table);
      }
      case 'over-lines':
        return overLines(await readNumbers(node, { range, wanted, table }, source, signal), node);
      case 'aggregation': {
        const { operation, by, labels } = node;
        const of = await compile(node.of, by === 'by' ? [...wanted, ...labels] : wanted);
        const groupOf = by === 'by' ? table.keeping(labels) : table.without(labels);
        return (atMs) => aggregate(operation, of(atMs), groupOf, 0);
      }
    }
  };
  return await compile(expression, []);
}

function arithmetic(
  node: MetricExpression & { kind: 'arithmetic' },
  left: VectorAt,
  right: VectorAt,
  table: LabelTable,
): VectorAt {
  if (node.left.kind === 'number') {
    const { value } = node.left;
    const combine = withNumber(node, 'left', table);
    return (atMs) => combine(right(atMs), value);
  }
  if (node.right.kind === 'number') {
    const { value } = node.right;
    const combine = withNumber(node, 'right', table);
    return (atMs) => combine(left(atMs), value);
  }
  const combine = betweenVectors(node, byAllLabels, table);
  return (atMs) => combine(left(atMs), right(atMs));
}

type OverLines = MetricExpression & { kind: 'over-lines' };

function overLines(numbers: ReadonlyMap<LabelSet, NumbersByTime>, node: OverLines): VectorAt {
  return (atMs) =>
    [...numbers].flatMap(([labels, series]) => {
      const value = series.over(node.function, atMs, node.rangeMs);
      return value === undefined ? [] : [{ labels, value }];
    });
}

/** The number that each line of the range counts for, by the labels of its series. */
async function readNumbers(
  node: OverLines,
  { range, wanted, table }: { range: Range; wanted: readonly string[]; table: LabelTable },
  source: LogSource,
  signal: AbortSignal | undefined,
): Promise<Map<LabelSet, NumbersByTime>> {
  const mention = mentionOf(node);
  const reading = {
    range: { fromMs: range.fromMs - node.rangeMs, toMs: range.toMs },
    newestFirst: false,
    ...(mention === undefined ? {} : { mention }),
  };
  const found = new Map<LabelSet, NumbersByTime>();
  const numberOf = compileNumber(node);
  const kept = node.by ?? [...streamLabels, ...wanted];
  const turns = new LineTurns();
  for await (const page of readLines(node.lines, source, reading, signal)) {
    for (const record of page) {
      if (turns.isOver) await turns.giveWay(signal);
      const number = numberOf(record);
      if (number === undefined) continue;
      const pairs = kept.map((name) => [name, number.labels.get(name) ?? ''] as const);
      const set = table.of(Object.fromEntries(pairs));
      const series = found.get(set) ?? new NumbersByTime();
      found.set(set, series);
      if (found.size > seriesMax) throw tooManySeries();
      series.add(record.atUs, number.value);
    }
  }
  return found;
}

function tooManySeries(): LimitError {
  return new LimitError(
    `the lines make more than ${seriesMax} series; group by labels that have fewer values`,
  );
}

/** A name without a replaced character stands in the line as it is. */
function mentionOf({ unwrap, lines }: OverLines): string | undefined {
  const isField = lines.stages.some(({ kind }) => kind === 'json');
  return isField && unwrap !== undefined && /^[A-Za-z0-9]+$/.test(unwrap.label)
    ? unwrap.label
    : undefined;
}

/** What a line counts for: 1, or the number under a label; nothing where the label is not there. */
function compileNumber({
  lines,
  unwrap,
}: OverLines): (record: LogRecord) => { labels: LineLabels; value: number } | undefined {
  const pipeline = compilePipeline(lines.stages);
  const tests = (unwrap?.tests ?? []).map((test: LabelTest) => compileTest(test));
  return (record) => {
    const labels = pipeline(record);
    const text = unwrap === undefined ? '1' : labels?.get(unwrap.label);
    if (labels === undefined || text === undefined) return undefined;
    const value = parseNumber(text);
    if (value === undefined) labels.set(errorLabel, 'SampleExtractionErr');
    if (!tests.every((test) => test(labels))) return undefined;
    checkErrors(labels, record);
    return { labels, value: value ?? 0 };
  };
}

function checkErrors(labels: LineLabels, record: LogRecord): void {
  const error = labels.get(errorLabel);
  if (error === undefined) return;
  const { service, instance, level } = record;
  throw new QueryError(
    'execution',
    `pipeline error: '${error}' for series: '${printLabels({ instance, level, service })}'. ` +
      `Use a label filter to intentionally skip this error. (e.g | __error__!="${error}")`,
  );
}
