import type { Evidence } from './evidence.ts';
import type { Entry } from './history.ts';
import type { CheckOptions, Verdict } from './verdict.ts';

/** Judges a run by what its clients saw and what the platform says of itself. Pure. */
export function check(
  _history: Iterable<Entry>,
  _evidence: Evidence,
  _options: CheckOptions,
): Verdict {
  throw new Error('The invariants come with the next commit of this package.');
}
