import { readFileSync } from 'node:fs';
import { type MetricSpec, metricGroups, metrics, runtimeMetrics } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { metricsPage } from '../src/metrics-page.ts';

const page = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8');
const table = Object.entries<MetricSpec>(metrics);

test('docs/METRICS.md is what the tables say (npm run metrics -w @rushlight/monitor writes it)', () => {
  expect(page).toBe(metricsPage());
});

test('the page has every metric once, with its meaning, and no other', () => {
  const ours = { ...metrics, ...runtimeMetrics };
  const [described = ''] = page.split('## Kinds of labels');
  const rows = [...described.matchAll(/^\| `([a-z_0-9]+)` \| (?:counter|gauge|histogram),.*$/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(ours).sort());
  for (const [row, name = ''] of rows) expect(row).toContain(ours[name as keyof typeof ours]?.help);
});

test('every metric of the table stands in one group', () => {
  const grouped = Object.values<Record<string, MetricSpec>>(metricGroups).flatMap(Object.keys);
  expect(grouped.sort()).toEqual(Object.keys(metrics).sort());
});

test.each(table)('%s follows the rules of names', (name, { kind, unit, help, labels, of }) => {
  expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
  expect(name.endsWith('_total'), 'a counter, and no other, ends in _total').toBe(
    kind === 'counter',
  );
  for (const base of ['seconds', 'bytes', 'cents']) {
    if (unit === base) expect(name).toContain(`_${base}`);
  }
  expect(help).toMatch(/^[A-Z1].*\.$/);
  expect(of.length).toBeGreaterThan(0);
  const reserved = ['service', 'instance', 'job', 'le', 'quantile'];
  expect(Object.keys(labels).filter((label) => reserved.includes(label))).toEqual([]);
});

test.each(table)('%s has few series that can stand there from the start', (_, { labels }) => {
  const lists = Object.values(labels).filter((values) => typeof values !== 'string');
  expect(lists.reduce((count, values) => count * values.length, 1)).toBeLessThanOrEqual(24);
  for (const values of lists) expect(new Set(values).size).toBe(values.length);
});
