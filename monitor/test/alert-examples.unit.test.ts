import { expect, test } from 'vitest';
import { alertExamples } from '../src/alert-examples.ts';
import { annotations, ownLabels } from '../src/alerting/prometheus-files.ts';
import { ruleGroups } from '../src/alerting/rule-groups.ts';
import { sloExamples, sloExamplesEvery } from '../src/slo-examples.ts';
import { judgeExample } from './judge-example.ts';

const rules = new Map(
  ruleGroups.flatMap(({ alerts }) => alerts).map(({ name, rule }) => [name, rule]),
);
const all = [
  ...alertExamples.map((example) => ({ ...example, every: '10s' as const })),
  ...sloExamples.map((example) => ({ ...example, every: sloExamplesEvery })),
];

test.each(all)('$name', async ({ every, ...example }) => {
  const rule = rules.get(example.alert);
  if (rule === undefined) throw new Error(`There is no alert ${example.alert}`);
  const expected = example.firing.map(({ labels: series, value }) => {
    const labels = { ...series, ...ownLabels(rule), alertname: example.alert };
    return { labels, annotations: annotations(rule, labels, value) };
  });
  const firing = await judgeExample(example, every);
  expect(firing.map(({ labels, annotations }) => ({ labels, annotations }))).toEqual(
    expect.arrayContaining(expected),
  );
  expect(firing).toHaveLength(expected.length);
});

test('every rule has an example that fires and one that does not', () => {
  const examplesOf = (name: string) => all.filter(({ alert }) => alert === name);
  for (const name of rules.keys()) {
    expect(
      examplesOf(name).some(({ firing }) => firing.length > 0),
      `${name} fires`,
    ).toBe(true);
    expect(
      examplesOf(name).some(({ firing }) => firing.length === 0),
      `${name} rests`,
    ).toBe(true);
  }
  expect(all.every(({ alert }) => rules.has(alert))).toBe(true);
});
