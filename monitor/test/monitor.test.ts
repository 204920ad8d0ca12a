// Every route of the monitor, asked about a shop that was watched for two hours.

import { join } from 'node:path';
import { realEnvironment, silentLog } from '@rushlight/chassis';
import { clientAs, createIssuer } from '@rushlight/chassis/testing';
import { type Call, monitorApi, type Route } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTelemetryStore } from '../src/store/telemetry-store.ts';
import { type RouteName, type RunningMonitor, readToken, startMonitor } from './running-monitor.ts';
import {
  batchTraceId,
  orderSpans,
  orderTraceId,
  printerLogs,
  shopLogs,
  shopSamples,
} from './telling-shop.ts';

const nowMs = Date.now();
/** The last quarter of an hour of the shop, however late it is asked about. */
const then = {
  from: new Date(nowMs - 900_000).toISOString(),
  to: new Date(nowMs).toISOString(),
};
let running: RunningMonitor;
const ask: RunningMonitor['ask'] = (name, call) => running.ask(name, call);
const refusal: RunningMonitor['refusal'] = (...given) => running.refusal(...given);

beforeAll(async () => {
  running = await startMonitor({
    fill: async (dataFolder) => {
      const folder = join(dataFolder, 'telemetry');
      await using store = await openTelemetryStore({
        ...{ folder, env: realEnvironment, log: silentLog },
      });
      store.intake.samples(shopSamples(nowMs));
      store.intake.spans(orderSpans(nowMs));
      store.intake.logs([...shopLogs(nowMs), ...printerLogs(nowMs)]);
      await store.flush();
    },
  });
}, 60_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

test('an order can be found, and is a waterfall with its path, its batch and its logs', async () => {
  const { traces } = await ask('searchTraces', { query: { service: 'payments', status: 'error' } });
  expect(traces).toMatchObject([
    { traceId: orderTraceId, spans: 5, errors: 1, rootName: 'POST /api/v1/orders' },
  ]);
  const trace = await ask('getTrace', { params: { traceId: orderTraceId.toUpperCase() } });
  expect(trace).toMatchObject({ durationMs: 70, incomplete: false, errors: 1 });
  expect(trace.spans.map(({ depth }) => depth)).toEqual([0, 1, 2, 3, 3]);
  expect(trace.criticalPath.at(-1)).toMatchObject({ offsetMs: 30, durationMs: 40 });
  expect(trace.linked).toMatchObject([{ span: { traceId: batchTraceId } }]);
  expect(trace.logs).toHaveLength(1);
  const unknown = { params: { traceId: 'f'.repeat(32) } };
  expect(await refusal('getTrace', unknown)).toBe('404 trace_not_found');
});

test('a silence is made by somebody, until some instant, shown, and ended', async () => {
  const matchers = [{ label: 'service', operator: '=', value: 'orders' }];
  const until = new Date(nowMs + 3_600_000).toISOString();
  const made = await ask('addSilence', { body: { matchers, until, comment: 'a drill' } });
  expect(made).toMatchObject({ matchers, until, comment: 'a drill', createdBy: 'admin' });
  expect((await ask('listAlerts')).silences).toEqual([made]);
  const past = { body: { matchers, until: then.from, comment: 'a drill' } };
  expect(await refusal('addSilence', past)).toBe('400 bad_request');
  await ask('endSilence', { params: { id: made.id } });
  expect((await ask('listAlerts')).silences).toEqual([]);
  const ended = { params: { id: made.id } };
  expect(await refusal('endSilence', ended)).toBe('404 silence_not_found');
});

test('logs are searched, and grouped by what is constant in them', async () => {
  const { lines } = await ask('searchLogs', { query: { level: 'error', text: 'DECLINED' } });
  expect(lines.map(({ message }) => message)).toEqual([
    'payment of order 1008 was declined',
    'payment of order 1004 was declined',
    'payment of order 1000 was declined',
  ]);
  const analysis = await ask('analyzeErrors');
  expect(analysis).toMatchObject({
    lines: 3,
    groups: [
      {
        template: 'payment of order <number> was declined',
        count: 3,
        services: ['payments'],
        traceId: orderTraceId,
      },
    ],
  });
});

test('figures are those that the counters tell', async () => {
  const { routes } = await ask('routePerformance', { query: { ...then, service: 'gateway' } });
  expect(routes).toMatchObject([
    {
      service: 'gateway',
      route: '/api/v1/orders',
      // One from an exemplar, one from a server's span.
      slowest: [
        { traceId: 'e'.repeat(32), durationMs: 400 },
        { traceId: orderTraceId, durationMs: 20 },
      ],
    },
  ]);
  expect(routes[0]?.count).toBeGreaterThan(1_700);
  expect(routes[0]?.p99Ms).toBeGreaterThan(400);
  const figures = await ask('shopAnalytics', { query: { ...then, stepS: '60' } });
  expect(figures.successShare).toBeCloseTo(0.9);
  expect(figures.bestSellers.map(({ item }) => item)).toEqual(['soup', 'rice']);
  expect(figures.averagePerS).toBeCloseTo(2, 0);
  expect(figures.hourProfile.reduce((sum, count) => sum + count, 0)).toBe(figures.orders.accepted);
  expect(figures.revenueCents.net).toBeGreaterThan(0);
  const { names } = await ask('queryMetrics', { query: then });
  expect(names).toContain('orders_accepted_total');
  const { series } = await ask('queryMetrics', {
    query: { ...then, query: 'sum(rate(orders_accepted_total[1m]))', stepS: '60' },
  });
  expect(series).toHaveLength(1);
  expect(series[0]?.points.at(-2)?.[1]).toBeCloseTo(2);
});

test('services are listed with what they carry, and who calls whom', async () => {
  const { services, edges } = await ask('listWatchedServices', { query: then });
  const gateway = services.find(({ name }) => name === 'gateway');
  expect(gateway).toMatchObject({ from: 'metrics', kind: 'service' });
  expect(gateway?.rate).toBeCloseTo(31 / 15, 0);
  expect(gateway?.errorShare).toBeCloseTo(1 / 31, 2);
  expect(edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`)).toEqual([
    'gateway call orders',
    'gateway link orders',
    'orders message payments',
    'orders call postgresql',
  ]);
});

test('what became unusual is told with its points', async () => {
  const { anomalies, looked } = await ask('listAnomalies', { query: { to: then.to } });
  // The monitor watches itself meanwhile.
  expect(looked.series).toBeGreaterThanOrEqual(4);
  expect(looked.skipped).toEqual([]);
  const slow = anomalies.find(({ series }) => series?.name === 'p95 of requests');
  expect(slow?.kind).toBe('change');
  expect(slow?.sentence).toMatch(/^p95 of requests of service gateway rose from /);
  expect(slow?.series?.points.length).toBeGreaterThan(30);
  const said = anomalies.filter(({ log }) => log?.services.includes('kitchen'));
  expect(said.map(({ kind, log }) => [kind, log?.template, log?.count])).toEqual([
    ['vanished_template', 'printer is well, <number> sheets', 116],
    ['new_template', 'printer <number> is on fire', 8],
  ]);
  expect(said[1]?.log?.lines[0]?.message).toMatch(/^printer \d is on fire$/);
});

test('health, summary, alerts and objectives', async () => {
  const health = await ask('monitorHealth');
  expect(health.store.status).toBe('open');
  const summary = await ask('monitorSummary');
  expect(summary.ordersPerS).toBeGreaterThan(0.5);
  const { rules } = await ask('listAlerts');
  expect(rules.map(({ name }) => name)).toContain('ServiceDown');
  const { slos } = await ask('listSlos');
  expect(slos.map(({ name }) => name)).toContain('order_availability');
});

test('one SELECT is answered, anything else is refused with a reason', async () => {
  const sql = 'SELECT service, count(*) AS spans FROM spans GROUP BY service ORDER BY service';
  const { rows } = await ask('runSql', { body: { sql } });
  expect(rows).toEqual([
    ['gateway', 2],
    ['orders', 3],
    ['payments', 1],
  ]);
  for (const bad of [
    'DROP TABLE spans',
    "SELECT * FROM read_csv('/etc/passwd')",
    'SELECT 1; SELECT 2',
  ]) {
    expect(await refusal('runSql', { body: { sql: bad } })).toBe('422 query_refused');
  }
});

test('wrong questions are refused by name', async () => {
  expect(await refusal('queryMetrics', { query: { query: 'sum(' } })).toBe('422 query_refused');
  expect(await refusal('searchLogs', { query: { level: 'loud' } })).toBe('400 bad_request');
  const backwards = { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' };
  expect(await refusal('searchLogs', { query: backwards })).toBe('400 bad_request');
  const ages = { from: '2020-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' };
  expect(await refusal('shopAnalytics', { query: ages })).toBe('400 bad_request');
});

test('only admins and services may ask', async () => {
  const names = Object.keys(monitorApi) as RouteName[];
  const student = await running.issuer.token({ sub: 'student1', role: 'student' });
  const forged = await createIssuer().token({ sub: 'admin', role: 'admin' });
  for (const name of names) {
    const params = { traceId: orderTraceId };
    expect(`${name} ${await refusal(name, { params }, student)}`).toBe(`${name} 403 forbidden`);
    expect(`${name} ${await refusal(name, { params }, forged)}`).toBe(`${name} 401 unauthorized`);
    expect(`${name} ${await refusal(name, { params }, '')}`).toBe(`${name} 401 unauthorized`);
  }
  const client = clientAs('gateway', 'monitor', running.monitor.url);
  const call: Call<typeof monitorApi.listAlerts> = {};
  expect((await client.call(monitorApi.listAlerts, call)).status).toBe(200);
  const query = await fetch(`${running.monitor.url}/api/v1/query?query=1`);
  expect(query.status).toBe(401);
  await client.close();
});

test('the token of the settings reads everything, and changes nothing', async () => {
  for (const [name, { method }] of Object.entries(monitorApi) as [RouteName, Route][]) {
    const call = { params: { traceId: orderTraceId } };
    if (method !== 'GET') expect(await refusal(name, call, readToken)).toBe('403 forbidden');
  }
  const asked = await fetch(`${running.monitor.url}/api/alerts`, {
    headers: { authorization: `Bearer ${readToken}` },
  });
  expect(asked.status).toBe(200);
  expect(await refusal('listAlerts', {}, `${readToken}x`)).toBe('401 unauthorized');
});

test.each(['an admin', 'a program with the token that lasts'])(
  '%s can ask in the forms of Prometheus and Loki',
  async (who) => {
    const authorization = `Bearer ${who === 'an admin' ? running.admin : readToken}`;
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(`${running.monitor.url}/api/v1/query`, {
      method: 'POST',
      headers,
      body: `query=${encodeURIComponent('count(up)')}&time=${nowMs / 1000 - 20}`,
    });
    expect(await answer.json()).toMatchObject({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [expect.anything(), '4'] }] },
    });
    const labels = await fetch(`${running.monitor.url}/api/v1/label/item/values`, {
      headers: { authorization },
    });
    expect(await labels.json()).toMatchObject({ data: ['rice', 'soup'] });
    const seconds = nowMs / 1000;
    const query = encodeURIComponent(
      'sum by (service) (count_over_time({service="payments"} [5m]))',
    );
    const loki = await fetch(
      `${running.monitor.url}/loki/api/v1/query_range?query=${query}&start=${seconds - 60}&end=${seconds}&step=30`,
      { headers: { authorization } },
    );
    expect(await loki.json()).toMatchObject({
      status: 'success',
      data: { resultType: 'matrix', result: [{ metric: { service: 'payments' } }] },
    });
  },
);
