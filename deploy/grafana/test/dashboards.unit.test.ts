import { readdirSync, readFileSync } from 'node:fs';
import { type MetricSpec, metrics, runtimeMetrics } from '@rushlight/contracts';
import { createQueryApi } from '@rushlight/monitor';
import { memoryLogs } from '@rushlight/monitor/testing';
import { expect, test } from 'vitest';
import { dashboardFiles, dashboards, filledIn, foreignMetrics, queriesOf } from '../src/index.ts';
import { pageWith } from '../src/page.ts';
import { own, quantile, recorded } from '../src/promql.ts';
import { tellingSeries } from './telling-series.ts';

const folder = new URL('../dashboards/', import.meta.url);
const committed = Object.fromEntries(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
);
const queries = Object.values(committed).flatMap(queriesOf);
const promql = queries.filter(({ language }) => language === 'promql');
const logql = queries.filter(({ language }) => language === 'logql');
const times = { rateInterval: '1m', range: '15m' };

test('the dashboards are as they are written from their source', () => {
  const how = 'run: npm run dashboards -w @rushlight/grafana';
  const generated = dashboardFiles();
  expect(Object.keys(committed).sort(), how).toEqual(Object.keys(generated).sort());
  for (const [name, text] of Object.entries(generated)) expect(committed[name], how).toBe(text);
});

test('the page about them is too', () => {
  const page = readFileSync(new URL('../../../docs/DASHBOARDS.md', import.meta.url), 'utf8');
  expect(page).toBe(pageWith(page, dashboards));
});

test('a wrong name does not compile, or is refused', () => {
  expect(own('orders_rejected_total', { reason: { not: /sold.*/ } })).toBe(
    'orders_rejected_total{reason!~"sold.*"}',
  );
  // @ts-expect-error no such metric
  own('orders_refused_total');
  // @ts-expect-error no such label
  own('orders_rejected_total', { why: 'sold_out' });
  // @ts-expect-error no such value
  own('orders_rejected_total', { reason: 'sold' });
  // @ts-expect-error a histogram is read by its parts
  own('batch_size');
  // @ts-expect-error no histogram
  quantile(0.5, 'orders_rejected_total');
  expect(() => recorded('orders:failure_ratio:rate1m')).toThrow('No rule');
});

test('the twelve classic panels are on the overview, the line of a second among them', () => {
  const panels = dashboards[0]?.rows.flatMap((row) => row.panels) ?? [];
  const titles = panels.map(({ title }) => title);
  const classic = ['accepted', 'rejected', 'processed', 'retried', 'failed'];
  expect(titles).toEqual(expect.arrayContaining(classic.map((how) => `Orders ${how}`)));
  expect(titles).toEqual(
    expect.arrayContaining([
      ...['Notifications', 'Gateway rate', 'Gateway latency', 'Logins ok', 'Logins failed'],
      ...['Stock updates', 'Stock updates that failed'],
    ]),
  );
  const latency = panels.find(({ title }) => title === 'Gateway latency');
  expect(latency).toMatchObject({ bound: { value: 1, wrong: 'above' } });
  expect(latency).toHaveProperty('queries.length', 3);
});

test('every metric of the table is drawn somewhere, and so is every one of others that is named', () => {
  const asked = new Set(promql.flatMap(({ expr }) => expr.match(/[a-zA-Z_:][\w:]*/g) ?? []));
  const parts = (name: string, { kind }: MetricSpec): string =>
    kind === 'histogram' ? `${name}_bucket` : name;
  const own = Object.entries<MetricSpec>(metrics).map(([name, spec]) => parts(name, spec));
  const wanted = [...own, ...Object.values(foreignMetrics).flat()];
  expect(wanted.filter((name) => !asked.has(name))).toEqual([]);
});

test('what the runtime tells is in its table', () => {
  expect(foreignMetrics.node.filter((name) => !(name in runtimeMetrics))).toEqual([]);
});

test('every panel says what it tells, under a title of its own on its page', () => {
  for (const { title, rows } of dashboards) {
    const panels = rows.flatMap((row) => row.panels);
    expect(new Set(panels.map((panel) => panel.title)).size, title).toBe(panels.length);
    for (const { tells, title: panel } of panels) expect(tells.length, panel).toBeGreaterThan(8);
  }
});

test.each(Object.entries(committed))('no two panels of %s lie on each other', (_, text) => {
  type Panel = { gridPos: { x: number; y: number; w: number; h: number }; panels?: Panel[] };
  const { panels } = JSON.parse(text) as { panels: Panel[] };
  for (const group of [panels, ...panels.map((panel) => panel.panels ?? [])]) {
    const taken = new Set<string>();
    for (const { gridPos } of group) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken).not.toContain(`${x},${y}`);
          taken.add(`${x},${y}`);
        }
      }
    }
  }
});

const { source, atMs } = await tellingSeries();
const api = createQueryApi({ series: source, logs: memoryLogs([]), nowMs: () => atMs });

test.each(promql)('the monitor answers $where', async ({ expr }) => {
  const query = filledIn(expr, times);
  const parameters = { query, time: String(atMs / 1_000) };
  const { status, body } = await api.prometheus.query(new URLSearchParams(parameters));
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body).toHaveProperty('data.result.0');
});

test.each(logql)('the monitor reads $where', async ({ expr }) => {
  const { status, body } = await api.loki.queryRange(new URLSearchParams({ query: expr }));
  expect(status, JSON.stringify(body)).toBe(200);
});
