// The files for a real Prometheus, as text: rules, and the tests of `promtool test rules`.
//
// YAML is written here by hand: maps, lists, and strings in JSON's quotes, which YAML reads alike.

import { type AlertExample, alertExamples } from '../alert-examples.ts';
import type { AlertRule, Duration, RecordingRule } from '../rule-types.ts';
import { sloExamples, sloExamplesEvery } from '../slo-examples.ts';
import { type NamedAlert, type RuleGroup, ruleGroups } from './rule-groups.ts';
import { renderTemplate } from './template.ts';

export type Yaml = string | number | readonly Yaml[] | { readonly [key: string]: Yaml };

const ruleFileName = 'rushlight.rules.yml';

export const heading = [
  '# Written from the tables of the monitor by "npm run rules -w @rushlight/monitor"; a test',
  '# compares them. Change monitor/src/alert-rules.ts, recording-rules.ts or slo-objectives.ts.',
  '',
].join('\n');

/** Every file of deploy/prometheus that is written from the tables, by name. */
export function prometheusFiles(): Record<string, string> {
  return {
    [ruleFileName]: ruleFile(),
    'rushlight.test.yml': testFile(alertExamples, '10s'),
    'rushlight-slo.test.yml': testFile(sloExamples, sloExamplesEvery),
  };
}

/** The rule file: every recording rule and alert. */
function ruleFile(): string {
  return `${heading}${toYaml({ groups: ruleGroups.map((group) => writeGroup(group)) })}\n`;
}

/** @param written an expression as it should stand in the file */
export function writeGroup(
  { name, interval, recording, alerts }: RuleGroup,
  written: (expr: string) => string = (expr) => expr,
): Yaml {
  const rules = [...recording.map(writeRecording), ...alerts.map(writeAlert)];
  return { name, interval, rules: rules.map((rule) => ({ ...rule, expr: written(rule.expr) })) };
}

/** The labels that an alert adds to those of its series. */
export function ownLabels({ severity, owner, labels = {} }: AlertRule): Record<string, string> {
  return { severity, owner, ...labels };
}

function writeRecording({ record, expr, labels }: RecordingRule) {
  return { record, expr, ...(labels ? { labels } : {}) };
}

function writeAlert({ name, rule }: NamedAlert) {
  return {
    alert: name,
    expr: rule.expr,
    for: rule.for,
    labels: ownLabels(rule),
    annotations: annotationTemplates(rule),
  };
}

/** Where the runbook of a rule is, from the root of the repository. */
export function runbookPath({ runbook }: Pick<AlertRule, 'runbook'>): string {
  return `docs/runbooks/${runbook}.md`;
}

/** What is told with an alert, before the labels and the value are filled in. */
export function annotationTemplates(rule: AlertRule): Record<string, string> {
  const { summary, description } = rule;
  return { summary, description, runbook: runbookPath(rule) };
}

/**
 * A test file for `promtool test rules`: the same examples that the monitor is tested with.
 *
 * @param every how often the rules are evaluated in it
 */
function testFile(examples: readonly AlertExample[], every: Duration): string {
  const tests = examples.map((example) => ({
    name: example.name,
    interval: example.interval,
    input_series: Object.entries(example.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      {
        eval_time: example.at,
        alertname: example.alert,
        exp_alerts: example.firing.map((alert) => writeFiring(ruleOf(example.alert), alert)),
      },
    ],
  }));
  const file = {
    rule_files: [ruleFileName],
    evaluation_interval: every,
    group_eval_order: ruleGroups.map(({ name }) => name),
    tests,
  };
  return `${heading}${toYaml(file)}\n`;
}

function writeFiring(rule: AlertRule, { labels, value }: AlertExample['firing'][number]): Yaml {
  const all = { ...labels, ...ownLabels(rule) };
  return { exp_labels: all, exp_annotations: annotations(rule, all, value) };
}

function ruleOf(name: string): AlertRule {
  const found = ruleGroups.flatMap(({ alerts }) => alerts).find((alert) => alert.name === name);
  if (found === undefined) throw new Error(`There is no alert rule ${name}`);
  return found.rule;
}

/** The sentences of one alert. `labels` are those of its series and its rule. */
export function annotations(
  rule: AlertRule,
  labels: Readonly<Record<string, string>>,
  value: number,
): Record<string, string> {
  const templates = Object.entries(annotationTemplates(rule));
  return Object.fromEntries(
    templates.map(([name, template]) => [name, renderTemplate(template, labels, value)]),
  );
}

export function toYaml(value: Yaml, indent = ''): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((item) => `${indent}- ${toYaml(item, `${indent}  `).trimStart()}`).join('\n');
  }
  return Object.entries(value)
    .map(([key, inner]) => {
      const nested = typeof inner === 'object' && !isEmpty(inner);
      return `${indent}${key}:${nested ? '\n' : ' '}${toYaml(inner, nested ? `${indent}  ` : '')}`;
    })
    .join('\n');
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
