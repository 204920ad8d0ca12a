import { readdirSync, readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { createMetrics } from '@rushlight/chassis';
import {
  type MetricSpec,
  metrics,
  monitorApiAtGateway,
  publicApi,
  type Route,
} from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { kubernetesRules, kubernetesRulesPath, ofJob } from '../src/alerting/kubernetes-rules.ts';
import { prometheusFiles, runbookPath } from '../src/alerting/prometheus-files.ts';
import { ruleGroups } from '../src/alerting/rule-groups.ts';
import { noStream } from '../src/recording-rules.ts';
import { objectiveNames } from '../src/slo-objectives.ts';
import { recorded } from '../src/slo-rules.ts';

const root = new URL('../../', import.meta.url);
const recording = ruleGroups.flatMap((group) => group.recording);
const alerts = ruleGroups.flatMap((group) => group.alerts);
const expressions = [
  ...recording.map(({ record, expr }) => [record, expr] as const),
  ...alerts.map(({ name, rule }) => [name, rule.expr] as const),
];
/** Written by whoever scrapes. */
const scraped = ['up', 'scrape_samples_scraped', 'scrape_duration_seconds'];
/** Of every target: see U3 of rule-types.ts. */
const labelsOfAll = ['service', 'instance'];

/** Of the gateway. */
const routes = [...Object.values<Route>(publicApi), ...Object.values<Route>(monitorApiAtGateway)];
const exposed = await createMetrics({ service: 'a', instance: 'a-1' }).expose();
const defaults = [...exposed.text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);

type Selector = { name: string; labels: string[] };

/** What the selectors of an expression name. */
function selectorsOf(expr: string): Selector[] {
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      const text = expr.slice(node.from, node.to);
      expect(node.type.isError, `${expr}: cannot be read at ${node.from}`).toBe(false);
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') {
        selectors.push({ name: text, labels: [] });
      }
      if (node.name === 'LabelName' && node.node.parent?.name.includes('Matcher')) {
        selectors.at(-1)?.labels.push(text);
      }
    },
  });
  return selectors;
}

/** The labels of a metric of ours by a name in an exposition, histograms' parts included. */
function labelsOf(name: string): readonly string[] | undefined {
  const table: Record<string, MetricSpec> = metrics;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  if (table[base]?.kind === 'histogram') {
    if (base === name) return undefined;
    const labels = Object.keys(table[base].labels);
    return name.endsWith('_bucket') ? [...labels, 'le'] : labels;
  }
  const spec = table[name];
  return spec && Object.keys(spec.labels);
}

test.each(expressions)('%s names only what exists', (_, expr) => {
  const selectors = selectorsOf(expr);
  expect(selectors.length).toBeGreaterThan(0);
  for (const { name, labels } of selectors) {
    if (name.includes(':')) {
      expect(recording.map(({ record }) => record)).toContain(name);
    } else if (scraped.includes(name) || defaults.includes(name)) {
      expect([...labelsOfAll]).toEqual(expect.arrayContaining(labels));
    } else {
      const known = labelsOf(name);
      expect(known, `${name} is not in contracts/src/telemetry.ts`).toBeDefined();
      expect([...labelsOfAll, ...(known ?? [])]).toEqual(expect.arrayContaining(labels));
    }
  }
});

test('the test above sees names, labels, and what is wrong', () => {
  expect(defaults).toContain('process_cpu_seconds_total');
  expect(selectorsOf('sum by (x) (rate(a_total{b="1",c=~"2"}[5m])) / d')).toEqual([
    { name: 'a_total', labels: ['b', 'c'] },
    { name: 'd', labels: [] },
  ]);
  expect(labelsOf('http_request_duration_seconds_bucket')).toContain('le');
  expect(labelsOf('http_request_duration_seconds')).toBeUndefined();
  expect(labelsOf('http_requests_totals')).toBeUndefined();
});

test('a rule uses only what was recorded before it, or in a group before its own', () => {
  const seen = new Set<string>();
  for (const group of ruleGroups) {
    for (const { record, expr } of group.recording) {
      for (const { name } of selectorsOf(expr)) {
        if (name.includes(':')) expect(seen, `${record} uses ${name}`).toContain(name);
      }
      seen.add(record);
    }
    for (const { name: alert, rule } of group.alerts) {
      for (const { name } of selectorsOf(rule.expr)) {
        if (name.includes(':')) expect(seen, `${alert} uses ${name}`).toContain(name);
      }
    }
  }
  for (const slo of objectiveNames) expect(recorded(slo, '1h').ratio).toContain(`slo="${slo}"`);
});

test('every alert has a runbook, and every runbook an alert', () => {
  const folder = new URL('docs/runbooks/', root);
  const pages = readdirSync(folder).filter((name) => name !== 'README.md');
  const wanted = new Set(alerts.map(({ rule }) => `${rule.runbook}.md`));
  expect([...pages].sort()).toEqual([...wanted].sort());
});

test.each([...new Set(alerts.map(({ rule }) => runbookPath(rule)))])('%s is complete', (path) => {
  const page = readFileSync(new URL(path, root), 'utf8');
  for (const heading of ['Means', 'Students notice', 'Look first', 'Likely causes', 'Do', 'Over']) {
    expect(page).toContain(`\n## ${heading}\n`);
  }
  for (const [, code = ''] of page.matchAll(/```promql\n([^`]+)```/g)) {
    for (const expr of code.trim().split('\n')) {
      for (const { name } of selectorsOf(expr)) {
        const isKnown =
          recording.some(({ record }) => record === name) ||
          [...scraped, ...defaults].includes(name) ||
          labelsOf(name) !== undefined;
        expect(isKnown, `${path}: ${name} exists`).toBe(true);
      }
    }
  }
});

test('latency leaves out exactly the routes that are streams', () => {
  const pattern = /^route!~"(.+)"$/.exec(noStream)?.[1] ?? '';
  for (const { path, stream = false } of routes) {
    expect(new RegExp(`^(?:${pattern})$`).test(path), path).toBe(stream);
  }
});

test('the runbooks send nobody to a route that is not there', () => {
  const known = routes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, '*')}`);
  const folder = new URL('docs/runbooks/', root);
  const named = readdirSync(folder).flatMap((name) => {
    const page = readFileSync(new URL(name, folder), 'utf8');
    return [...page.matchAll(/`(GET|POST|PATCH|DELETE) (\/api\/[^`?\s]+)/g)];
  });
  expect(named.length).toBeGreaterThan(20);
  const asPattern = (path: string): string => path.replace(/\{\w+\}|<\w+>/g, '*');
  for (const [, method, path = ''] of named)
    expect(known).toContain(`${method} ${asPattern(path)}`);
});

test('the names of alerts and their labels suit Prometheus', () => {
  const names = alerts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][A-Za-z0-9]+$/);
});

test.each(Object.entries(prometheusFiles()))('deploy/prometheus/%s is as written', (name, text) => {
  expect(readFileSync(new URL(`deploy/prometheus/${name}`, root), 'utf8')).toBe(text);
});

test('the rules of deploy/kubernetes are as written', () => {
  const path = `deploy/kubernetes/${kubernetesRulesPath}`;
  expect(readFileSync(new URL(path, root), 'utf8')).toBe(kubernetesRules());
});

test.each([
  ['up == 0', 'up{job="rushlight"} == 0'],
  ['rate(a_total{b="c"}[5m])', 'rate(a_total{job="rushlight",b="c"}[5m])'],
  ['a{} / on (job) b:c:d{e="f"}', 'a{job="rushlight"} / on (job) b:c:d{e="f"}'],
])('in a cluster, %s is asked of the shop alone', (expr, written) => {
  expect(ofJob(expr)).toBe(written);
});

test.each(expressions)('in a cluster, %s asks nothing of anybody else', (_, expr) => {
  const foreign = selectorsOf(ofJob(expr)).filter(
    ({ name, labels }) => !name.includes(':') && labels[0] !== 'job',
  );
  expect(foreign).toEqual([]);
});
