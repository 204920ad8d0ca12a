// One example of an alert, judged by the monitor's own rules and PromQL.

import type { AlertExample } from '../src/alert-examples.ts';
import type { FiringAlert } from '../src/alerting/alert-state.ts';
import { RecordedSeries } from '../src/alerting/recorded-series.ts';
import { type RuleGroup, ruleGroups } from '../src/alerting/rule-groups.ts';
import { RuleRunner } from '../src/alerting/rule-runner.ts';
import { evaluateInstant } from '../src/promql/evaluate.ts';
import { type Duration, durationMs, type RecordingRule } from '../src/rule-types.ts';
import { memorySeries } from '../src/testing/memory-series.ts';
import { readSeries } from './series-notation.ts';

/** The alerts of the example's rule that fire at its instant. */
export async function judgeExample(
  example: AlertExample,
  every: Duration,
): Promise<readonly FiringAlert[]> {
  const store = memorySeries(
    Object.entries(example.series).map(([name, values]) =>
      readSeries(name, values, example.interval),
    ),
  );
  const recorded = new RecordedSeries();
  const source = recorded.over(store);
  const group = groupFor(example.alert);
  const runner = new RuleRunner({
    groups: [group],
    evaluate: (expr, atMs) => evaluateInstant(expr, atMs, source),
    recorded,
    env: { monotonicMs: () => 0, after: () => () => undefined },
  });
  for (let atMs = 0; atMs <= durationMs(example.at); atMs += durationMs(every)) {
    await runner.run(group, atMs);
    for (const name of [...group.recording.map(({ record }) => record), example.alert]) {
      const health = runner.health(name);
      if (health.state === 'failing') throw new Error(`${name}: ${health.error}`);
    }
  }
  return runner.firing();
}

/** The alert alone, with what it needs to be recorded, in their order. */
function groupFor(name: string): RuleGroup {
  const alert = ruleGroups.flatMap(({ alerts }) => alerts).find((one) => one.name === name);
  if (alert === undefined) throw new Error(`There is no alert ${name}`);
  const needed: RecordingRule[] = [];
  let text = alert.rule.expr;
  for (const rule of ruleGroups.flatMap(({ recording }) => recording).toReversed()) {
    const { record, expr, labels = {} } = rule;
    const isNamed = text.includes(record);
    const slo = labels['slo'];
    if (!isNamed || (slo !== undefined && !text.includes(`slo="${slo}"`))) continue;
    needed.unshift(rule);
    text += ` ${expr}`;
  }
  return { name, interval: '10s', recording: needed, alerts: [alert] };
}
