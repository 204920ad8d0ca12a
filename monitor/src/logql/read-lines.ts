// Reads the lines of a question, page by page.
//
// R1. What the source can decide, it decides: texts, and labels of streams.
// R2. Pages meet without a gap and without a line twice: each begins in the millisecond in which the
//     one before ended, and what was seen of that is skipped. The source's order is stable.
// R3. A page is all that is held; a question reads so many lines at most.

import {
  LimitError,
  type LogQuery,
  type LogRecord,
  type LogSource,
  type Matcher,
  type Range,
} from '../model.ts';
import type { LinesExpression, Stage } from './ast.ts';
import { streamLabels } from './pipeline.ts';

export type LineLimits = {
  /** Lines that one question may read. */
  linesMax: number;
  /** Lines that are read, and worked on, at once: some ten milliseconds. */
  pageLines: number;
};

const lineLimits: LineLimits = { linesMax: 500_000, pageLines: 5_000 };

function streamMatcher(stage: Stage): Matcher | undefined {
  if (stage.kind !== 'labels' || stage.test.kind !== 'text') return undefined;
  const { matcher } = stage.test;
  return streamLabels.some((name) => name === matcher.label) ? matcher : undefined;
}

/** Whether the source can decide everything, so that each line that it gives is one of the answer. */
function isDecidedBySource({ stages }: LinesExpression): boolean {
  return stages.every(isDecided);
}

function isDecided(stage: Stage): boolean {
  switch (stage.kind) {
    case 'contains':
    case 'lacks':
    case 'json':
      return true;
    case 'matches':
    case 'matches-not':
      return false;
    case 'labels':
      return streamMatcher(stage) !== undefined;
  }
}

export type Reading = {
  range: Range;
  newestFirst: boolean;
  /** After so many lines it is enough, where the source decides everything. */
  limit?: number;
  /** A text that each line of interest contains. */
  mention?: string;
};

/** @throws LimitError when there are more lines than one question may read */
export async function* readLines(
  expression: LinesExpression,
  source: LogSource,
  reading: Reading,
  signal?: AbortSignal,
  { linesMax, pageLines }: LineLimits = lineLimits,
): AsyncGenerator<readonly LogRecord[]> {
  const { newestFirst } = reading;
  const query = queryOf(expression, reading);
  const limit = isDecidedBySource(expression) ? (reading.limit ?? pageLines) : pageLines;
  let range = reading.range;
  let seen: LogRecord[] = [];
  for (let read = 0; read <= linesMax; ) {
    const found = await source.select({ ...query, range, limit, newestFirst }, signal);
    const page = found.slice(seen.length);
    signal?.throwIfAborted();
    yield page;
    read += page.length;
    const last = found.at(-1);
    if (found.length < limit || last === undefined) return;
    if (page.length === 0) break;
    range = newestFirst
      ? { ...range, toMs: Math.ceil(last.atUs / 1_000) }
      : { ...range, fromMs: Math.floor(last.atUs / 1_000) };
    seen = found.filter(({ atUs }) => atUs >= range.fromMs * 1_000 && atUs <= range.toMs * 1_000);
  }
  throw tooManyLines(linesMax);
}

type Query = Pick<LogQuery, 'matchers' | 'contains' | 'lacks'>;

function queryOf({ matchers, stages }: LinesExpression, { mention }: Reading): Query {
  const ofStreams = stages.flatMap((stage) => streamMatcher(stage) ?? []);
  const contains = stages.flatMap((stage) => (stage.kind === 'contains' ? [stage.text] : []));
  const lacks = stages.flatMap((stage) => (stage.kind === 'lacks' ? [stage.text] : []));
  if (mention !== undefined) contains.push(mention);
  return { matchers: [...matchers, ...ofStreams], contains, lacks };
}

function tooManyLines(linesMax: number): LimitError {
  return new LimitError(
    `the question reads more than ${linesMax} lines; ask for less time, name more labels, or add ` +
      'a text to look for (|= "…")',
  );
}
