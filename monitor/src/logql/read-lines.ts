// Which lines a question reads. What the source can decide, it decides: texts, and labels of streams.

import { LimitError, type LogRecord, type LogSource, type Matcher, type Range } from '../model.ts';
import type { LinesExpression, Stage } from './ast.ts';
import { streamLabels } from './pipeline.ts';

/** Lines that one question may read. */
export const linesMax = 100_000;

function streamMatcher(stage: Stage): Matcher | undefined {
  if (stage.kind !== 'labels' || stage.test.kind !== 'text') return undefined;
  const { matcher } = stage.test;
  return streamLabels.some((name) => name === matcher.label) ? matcher : undefined;
}

/** Whether the source can decide everything, so that each line that it gives is one of the answer. */
export function isDecidedBySource({ stages }: LinesExpression): boolean {
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

/**
 * At most `limit` lines, from the newest or the oldest on.
 *
 * @param how `mention` is a text that each line of interest contains
 */
export async function readLines(
  { matchers, stages }: LinesExpression,
  source: LogSource,
  how: { range: Range; limit: number; newestFirst: boolean; mention?: string },
  signal?: AbortSignal,
): Promise<LogRecord[]> {
  const contains = stages.flatMap((stage) => (stage.kind === 'contains' ? [stage.text] : []));
  const lacks = stages.flatMap((stage) => (stage.kind === 'lacks' ? [stage.text] : []));
  const ofStreams = stages.flatMap((stage) => streamMatcher(stage) ?? []);
  const mentions = how.mention === undefined ? contains : [...contains, how.mention];
  return await source.select(
    {
      matchers: [...matchers, ...ofStreams],
      range: how.range,
      ...(mentions.length === 0 ? {} : { contains: mentions }),
      ...(lacks.length === 0 ? {} : { lacks }),
      limit: how.limit,
      newestFirst: how.newestFirst,
    },
    signal,
  );
}

export function tooManyLines(): LimitError {
  return new LimitError(
    `the question reads more than ${linesMax} lines; ask for less time, name more labels, or add ` +
      'a text to look for (|= "…")',
  );
}
