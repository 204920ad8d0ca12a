// Matchers of labels: what every source of series and logs has to mean by =, !=, =~ and !~.

import type { Labels, Matcher } from '../model.ts';
import { labelValue } from './label-sets.ts';
import { compilePattern } from './pattern.ts';

/**
 * A test of label sets: all matchers hold. A label that is absent has the value "". Patterns match
 * the whole value, in RE2's syntax.
 *
 * @throws QueryError when a pattern cannot be read or is too large
 */
export function matchLabels(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => {
    const test = matchValue(matcher);
    return (labels: Labels): boolean => test(labelValue(labels, matcher.label));
  });
  return (labels) => tests.every((test) => test(labels));
}

/** A test of one label's value; see {@link matchLabels}. */
export function matchValue({ operator, value }: Matcher): (actual: string) => boolean {
  switch (operator) {
    case '=':
      return (actual) => actual === value;
    case '!=':
      return (actual) => actual !== value;
    case '=~':
      return matchPattern(value);
    case '!~': {
      const matches = matchPattern(value);
      return (actual) => !matches(actual);
    }
  }
}

/** Label values repeat from series to series: so many are remembered. */
const rememberedMax = 1_000;

function matchPattern(text: string): (actual: string) => boolean {
  const pattern = compilePattern(text);
  const remembered = new Map<string, boolean>();
  return (actual) => {
    const known = remembered.get(actual);
    if (known !== undefined) return known;
    const matches = pattern.matches(actual);
    if (remembered.size < rememberedMax) remembered.set(actual, matches);
    return matches;
  };
}
