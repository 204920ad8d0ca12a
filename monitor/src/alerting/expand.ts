// What a recording rule records, put in place of its name: the monitor evaluates every alert from
// the samples themselves, and needs no recorded ones to be there, fresh or complete.
//
// E1. A recorded name stands alone, or with exactly the labels that its rule gives (`{slo="x"}`).
//     Anything else could mean a part of its answer, and is refused.
// E2. What is put in lacks the labels of the rule. It does so on both sides of every operator, so
//     that the same partners are found; the alert gets them back as labels of its own.

import type { RecordingRule } from '../rule-types.ts';

/**
 * @param expression PromQL that may name what `rules` record
 * @returns the same question, of metrics alone
 * @throws Error when a recorded name comes with labels that no rule of this name has
 */
export function expandRecorded(expression: string, rules: readonly RecordingRule[]): string {
  const bySelector = new Map(rules.map((rule) => [selectorOf(rule), rule]));
  const names = [...new Set(rules.map((rule) => rule.record))].sort((a, b) => b.length - a.length);
  if (names.length === 0) return expression;
  const recorded = new RegExp(`(?<![\\w:"/])(?:${names.join('|')})(?![\\w:])(?:\\{[^}]*\\})?`, 'g');
  const expand = (text: string): string =>
    text.replace(recorded, (selector) => {
      const rule = bySelector.get(selector);
      if (rule !== undefined) return `(${expand(rule.expr)})`;
      throw new Error(
        `${selector} in "${expression}" is not recorded like this; write one of: ` +
          [...bySelector.keys()].filter((known) => known.startsWith(nameOf(selector))).join(', '),
      );
    });
  return expand(expression);
}

function selectorOf({ record, labels = {} }: RecordingRule): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? record : `${record}{${pairs.join(',')}}`;
}

function nameOf(selector: string): string {
  return selector.split('{')[0] ?? selector;
}
