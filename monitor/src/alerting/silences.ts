// Silences: somebody knows of it, and does not want to hear of it again until a certain instant.
//
// S1. A silence has an end, a name and a reason; it covers the alerts that all its matchers fit.
// S2. Covered alerts go on: they are judged and shown, only not sent.

import { z } from 'zod';
import type { Labels } from '../model.ts';
import { matchLabels } from '../promql/matchers.ts';

const dayMs = 86_400_000;
export const silencesMax = 200;
const silenceMsMax = 30 * dayMs;

const MatcherShape = z.object({
  label: z.string().regex(/^[A-Za-z_]\w*$/, 'is no name of a label'),
  operator: z.enum(['=', '!=', '=~', '!~']),
  value: z.string().max(500),
});

/** What a person gives. */
export const NewSilence = z.object({
  matchers: z.array(MatcherShape).min(1).max(20),
  untilMs: z.int(),
  createdBy: z.string().trim().min(1).max(100),
  comment: z.string().trim().min(1).max(1_000),
});
export type NewSilence = z.output<typeof NewSilence>;

export const SilenceShape = NewSilence.extend({ id: z.string(), createdAtMs: z.int() });
export type Silence = z.output<typeof SilenceShape>;

export class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

/**
 * @throws SilenceError when it has ended already, lasts too long, covers nothing by a wrong pattern
 *   or everything, or there are too many
 */
export function addSilence(
  silences: readonly Silence[],
  wanted: NewSilence,
  { id, nowMs }: { id: string; nowMs: number },
): Silence[] {
  const { matchers, untilMs } = wanted;
  if (untilMs <= nowMs) throw new SilenceError('The silence would end before it begins.');
  if (untilMs - nowMs > silenceMsMax) {
    throw new SilenceError(`A silence lasts ${silenceMsMax / dayMs} days at most.`);
  }
  const current = currentSilences(silences, nowMs);
  if (current.length >= silencesMax) {
    throw new SilenceError(`There are ${silencesMax} silences already; end one of them first.`);
  }
  const covers = matcherOf(matchers);
  if (covers === undefined) {
    throw new SilenceError('A pattern of the silence cannot be read; patterns are RE2.');
  }
  if (covers({})) {
    throw new SilenceError('The silence would cover every alert; name at least one value.');
  }
  return [...current, { ...wanted, id, createdAtMs: nowMs }];
}

/** Those that have not ended. */
export function currentSilences(silences: readonly Silence[], nowMs: number): Silence[] {
  return silences.filter(({ untilMs }) => untilMs > nowMs);
}

/** The first of these silences that covers an alert. */
export function silencedBy(
  labels: Labels,
  silences: readonly Silence[],
  nowMs: number,
): Silence | undefined {
  return currentSilences(silences, nowMs).find(({ matchers }) => matcherOf(matchers)?.(labels));
}

function matcherOf(matchers: NewSilence['matchers']): ((labels: Labels) => boolean) | undefined {
  try {
    return matchLabels(matchers);
  } catch {
    return undefined;
  }
}
