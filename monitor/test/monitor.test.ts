// The monitor as the process it is: telemetry goes in, every route answers as its contract says.

import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { realEnvironment, silentLog } from '@rushlight/chassis';
import {
  clientAs,
  createIssuer,
  startService,
  type TestService,
  until,
} from '@rushlight/chassis/testing';
import {
  type monitorApi as Api,
  type Call,
  monitorApi,
  pathOf,
  type Reply,
} from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTelemetryStore } from '../src/store/telemetry-store.ts';
import { temporaryFolder } from './store-under-test.ts';
import { batchTraceId, orderSpans, orderTraceId, shopLogs, shopSamples } from './telling-shop.ts';

const issuer = createIssuer();
const folder = temporaryFolder();
const nowMs = Date.now();
let identity: Server;
let monitor: TestService;
let admin: string;

beforeAll(async () => {
  await using store = await openTelemetryStore({
    folder: join(folder.path, 'telemetry'),
    env: realEnvironment,
    log: silentLog,
  });
  store.intake.samples(shopSamples(nowMs));
  store.intake.spans(orderSpans(nowMs));
  store.intake.logs(shopLogs(nowMs));
  await store.flush();
});
beforeAll(async () => {
  identity = createServer((request, reply) => {
    const body = request.url?.includes('jwks') ? issuer.jwks : { revocations: [] };
    reply.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((done) => identity.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(identity.address() as AddressInfo).port}`;
  monitor = await startService('monitor', {
    serviceUrls: { identity: url },
    busUrl: '',
    env: {
      RUSHLIGHT_DATA: folder.path,
      RUSHLIGHT_MONITOR_OTLP_PORT: '0',
      RUSHLIGHT_MONITOR_SCRAPE_S: '1',
    },
  });
  admin = await issuer.token({ sub: 'admin', role: 'admin' });
});
afterAll(async () => {
  await monitor?.[Symbol.asyncDispose]();
  identity?.close();
  identity?.closeAllConnections();
  rmSync(folder.path, { recursive: true, force: true });
});

type Name = keyof typeof Api;
type AnyCall = { params?: Record<string, string>; query?: Record<string, string>; body?: unknown };

async function send(name: Name, call: AnyCall = {}, token = admin): Promise<Response> {
  const route = monitorApi[name];
  const query = new URLSearchParams(call.query ?? {});
  const hasBody = call.body !== undefined;
  return await fetch(`${monitor.url}${pathOf(route, call.params)}?${query}`, {
    method: route.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(call.body) } : {}),
  });
}

/** The answer, which must be what the contract says. */
async function ask<N extends Name>(name: N, call: AnyCall = {}) {
  const answer = await send(name, call);
  const text = await answer.text();
  const shapes = monitorApi[name].replies as Record<number, { parse(body: unknown): unknown }>;
  expect(`${answer.status} ${text.slice(0, 500)}`).toMatch(/^20/);
  return shapes[answer.status]?.parse(JSON.parse(text)) as Reply<(typeof Api)[N]>['body'];
}

async function refusal(name: Name, call: AnyCall = {}, token = admin): Promise<string> {
  const answer = await send(name, call, token);
  const body = (await answer.json()) as { code?: string };
  return `${answer.status} ${body.code}`;
}

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
  const { routes } = await ask('routePerformance');
  expect(routes).toMatchObject([
    {
      service: 'gateway',
      route: '/api/v1/orders',
      slowest: [{ traceId: orderTraceId, durationMs: 20 }],
    },
  ]);
  expect(routes[0]?.count).toBeGreaterThan(1_700);
  expect(routes[0]?.p99Ms).toBeGreaterThan(400);
  const figures = await ask('shopAnalytics', { query: { stepS: '60' } });
  expect(figures.successShare).toBeCloseTo(0.9);
  expect(figures.bestSellers.map(({ item }) => item)).toEqual(['soup', 'rice']);
  expect(figures.averagePerS).toBeCloseTo(2, 0);
  expect(figures.hourProfile.reduce((sum, count) => sum + count, 0)).toBe(figures.orders.accepted);
  expect(figures.revenueCents.net).toBeGreaterThan(0);
  const { names } = await ask('queryMetrics');
  expect(names).toContain('orders_accepted_total');
  const { series } = await ask('queryMetrics', {
    query: { query: 'sum(rate(orders_accepted_total[1m]))', stepS: '60' },
  });
  expect(series).toHaveLength(1);
  expect(series[0]?.points.at(-2)?.[1]).toBeCloseTo(2);
});

test('services are listed with what they carry, and who calls whom', async () => {
  const { services, edges } = await ask('listWatchedServices');
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
  const { anomalies, looked } = await ask('listAnomalies');
  expect(looked).toEqual({ series: 4, templates: 0, skipped: [] });
  const slow = anomalies.find(({ series }) => series?.name === 'p95 of requests');
  expect(slow?.kind).toBe('change');
  expect(slow?.sentence).toMatch(/^p95 of requests of service gateway rose from /);
  expect(slow?.series?.points.length).toBeGreaterThan(30);
});

test('health, summary, alerts and objectives', async () => {
  const health = await ask('monitorHealth');
  expect(health.store.status).toBe('open');
  const summary = await ask('monitorSummary');
  expect(summary.ordersPerS).toBeCloseTo(2, 0);
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
  const names = Object.keys(monitorApi) as Name[];
  const student = await issuer.token({ sub: 'student1', role: 'student' });
  const forged = await createIssuer().token({ sub: 'admin', role: 'admin' });
  for (const name of names) {
    const params = { traceId: orderTraceId };
    expect(`${name} ${await refusal(name, { params }, student)}`).toBe(`${name} 403 forbidden`);
    expect(`${name} ${await refusal(name, { params }, forged)}`).toBe(`${name} 401 unauthorized`);
    expect(`${name} ${await refusal(name, { params }, '')}`).toBe(`${name} 401 unauthorized`);
  }
  const client = clientAs('gateway', 'monitor', monitor.url);
  const call: Call<typeof Api.listAlerts> = {};
  expect((await client.call(monitorApi.listAlerts, call)).status).toBe(200);
  const query = await fetch(`${monitor.url}/api/v1/query?query=1`);
  expect(query.status).toBe(401);
  await client.close();
});

test('a Grafana can ask in the forms of Prometheus and Loki', async () => {
  const authorization = `Bearer ${admin}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${monitor.url}/api/v1/query`, {
    method: 'POST',
    headers,
    body: `query=${encodeURIComponent('count(up)')}&time=${nowMs / 1000 - 20}`,
  });
  expect(await answer.json()).toMatchObject({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: {}, value: [expect.anything(), '4'] }] },
  });
  const labels = await fetch(`${monitor.url}/api/v1/label/item/values`, {
    headers: { authorization },
  });
  expect(await labels.json()).toMatchObject({ data: ['rice', 'soup'] });
  const seconds = nowMs / 1000;
  const query = encodeURIComponent('sum by (service) (count_over_time({service="payments"} [5m]))');
  const loki = await fetch(
    `${monitor.url}/loki/api/v1/query_range?query=${query}&start=${seconds - 60}&end=${seconds}&step=30`,
    { headers: { authorization } },
  );
  expect(await loki.json()).toMatchObject({
    status: 'success',
    data: { resultType: 'matrix', result: [{ metric: { service: 'payments' } }] },
  });
});

/** A request of OTLP in JSON, sent as any SDK would. */
async function sendOtlp(signal: 'logs' | 'traces' | 'metrics', body: object): Promise<number> {
  const { otlpPort } = await ask('monitorHealth');
  const answer = await fetch(`http://127.0.0.1:${otlpPort}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = { attributes: [text('service.name', 'bakery')] };

test('lines can be watched as they come by OTLP, and are found afterwards', async () => {
  const abort = new AbortController();
  const answer = await fetch(`${monitor.url}/api/logs/tail?service=bakery&level=warn`, {
    headers: { authorization: `Bearer ${admin}` },
    signal: abort.signal,
  });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let seen = '';
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) seen += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  await until(() => seen.includes('lines follow'), { deadlineMs: 10_000, what: 'the stream' });
  const timeUnixNano = `${Date.now()}000000`;
  const record = (severityText: string, severityNumber: number, stringValue: string) => ({
    ...{ timeUnixNano, severityText, severityNumber, body: { stringValue } },
  });
  const logRecords = [record('INFO', 9, 'dough is ready'), record('ERROR', 17, 'oven is cold')];
  const resourceLogs = [{ resource, scopeLogs: [{ logRecords }] }];
  expect(await sendOtlp('logs', { resourceLogs })).toBe(200);
  await until(() => seen.includes('oven is cold'), { deadlineMs: 10_000, what: 'the line' });
  expect(seen).toContain('event: log\ndata: {');
  expect(seen).not.toContain('dough is ready');
  abort.abort();
  await reading;
  const find = async (): Promise<number> =>
    (await ask('searchLogs', { query: { service: 'bakery' } })).lines.length;
  await until(async () => (await find()) === 2, { deadlineMs: 10_000, what: 'both lines' });
});

test('a trace and a metric that come by OTLP can be asked for', async () => {
  const startMs = Date.now() - 100;
  const traceId = '5b8efff798038103d269b633813fc60c';
  const span = {
    ...{ traceId, spanId: 'eee19b7ec3c1b174', name: 'bake', kind: 2 },
    ...{ startTimeUnixNano: `${startMs}000000`, endTimeUnixNano: `${startMs + 40}000000` },
    attributes: [text('oven', 'left')],
  };
  const resourceSpans = [{ resource, scopeSpans: [{ spans: [span] }] }];
  expect(await sendOtlp('traces', { resourceSpans })).toBe(200);
  const dataPoints = [{ timeUnixNano: `${startMs}000000`, asInt: '21' }];
  const metrics = [{ name: 'loaves', gauge: { dataPoints } }];
  expect(
    await sendOtlp('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }),
  ).toBe(200);
  const query = { attribute: 'oven=left' };
  const traces = async () => (await ask('searchTraces', { query })).traces;
  await until(async () => (await traces()).length === 1, { deadlineMs: 10_000, what: 'the trace' });
  expect(await traces()).toMatchObject([{ traceId, rootService: 'bakery', durationMs: 40 }]);
  const loaves = async () => await ask('queryMetrics', { query: { query: 'loaves' } });
  await until(async () => (await loaves()).series.length === 1, { deadlineMs: 10_000, what: 'it' });
  expect((await loaves()).series[0]?.points.at(-1)?.[1]).toBe(21);
  expect((await ask('listWatchedServices')).services.map(({ name }) => name)).toContain('bakery');
});

test('a service of your own is watched from now on, also after a kill', async () => {
  const bakery = createServer((_, reply) => {
    reply.setHeader('content-type', 'text/plain; version=0.0.4').end('loaves_sold_total 7\n');
  });
  await new Promise<void>((done) => bakery.listen(0, '127.0.0.1', done));
  const metricsUrl = `http://127.0.0.1:${(bakery.address() as AddressInfo).port}/metrics`;
  const watch = (name: string, url = metricsUrl) => ({ body: { name, metricsUrl: url } });
  expect(await ask('watchService', watch('oven'))).toEqual({ name: 'oven', metricsUrl });
  expect(await refusal('watchService', watch('oven'))).toBe('409 taken');
  expect(await refusal('watchService', watch('gateway'))).toBe('409 taken');
  for (const host of ['10.0.0.1', '169.254.169.254', '[fd00::1]']) {
    const call = watch('other', `http://${host}/metrics`);
    expect(await refusal('watchService', call)).toBe('422 address_refused');
  }
  const isUp = async (): Promise<boolean> => {
    const { services } = await ask('listWatchedServices');
    const oven = services.find(({ name }) => name === 'oven');
    return oven?.own === true && oven.up === true;
  };
  await until(isUp, { deadlineMs: 20_000, what: 'the oven to be up' });
  await monitor.kill();
  await monitor.start();
  await until(isUp, { deadlineMs: 20_000, what: 'the oven to be up again' });
  const sold = async () => {
    const query = { query: 'loaves_sold_total{service="oven"}' };
    return (await ask('queryMetrics', { query })).series.length;
  };
  await until(async () => (await sold()) === 1, { deadlineMs: 20_000, what: 'its metric' });
  bakery.close();
  bakery.closeAllConnections();
});

test('a monitor that was killed has kept what it had, and its gap is a gap', async () => {
  const { traces } = await ask('searchTraces', { query: { service: 'payments' } });
  expect(traces.map(({ traceId }) => traceId)).toContain(orderTraceId);
  await until(
    async () => {
      const { targets } = await ask('monitorHealth');
      return targets.some(({ name, up }) => name === 'monitor' && up);
    },
    { deadlineMs: 20_000, what: 'the monitor to watch itself' },
  );
});

test('what is no OTLP is refused and harms nothing', async () => {
  expect(await sendOtlp('traces', { resourceSpans: 'nonsense' })).toBe(400);
  expect((await ask('monitorHealth')).status).toBe('up');
});
