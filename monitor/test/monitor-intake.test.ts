// What the monitor takes in as it runs: OTLP, log files, and services that users register.

import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readMetrics, sumOf, until } from '@rushlight/chassis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningMonitor, startMonitor } from './running-monitor.ts';

let running: RunningMonitor & { logs: string };
const ask: RunningMonitor['ask'] = (name, call) => running.ask(name, call);
const refusal: RunningMonitor['refusal'] = (...given) => running.refusal(...given);

beforeAll(async () => {
  running = await startMonitor();
}, 60_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
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
  const answer = await fetch(`${running.monitor.url}/api/logs/tail?service=bakery&level=warn`, {
    headers: { authorization: `Bearer ${running.admin}` },
    signal: abort.signal,
  });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let seen = '';
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) seen += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  await until(() => seen.includes('lines follow'), { deadlineMs: 25_000, what: 'the stream' });
  const timeUnixNano = `${Date.now()}000000`;
  const record = (severityText: string, severityNumber: number, stringValue: string) => ({
    ...{ timeUnixNano, severityText, severityNumber, body: { stringValue } },
  });
  const logRecords = [record('INFO', 9, 'dough is ready'), record('ERROR', 17, 'oven is cold')];
  const resourceLogs = [{ resource, scopeLogs: [{ logRecords }] }];
  expect(await sendOtlp('logs', { resourceLogs })).toBe(200);
  await until(() => seen.includes('oven is cold'), { deadlineMs: 25_000, what: 'the line' });
  expect(seen).toContain('event: log\ndata: {');
  expect(seen).not.toContain('dough is ready');
  abort.abort();
  await reading;
  const find = async (): Promise<number> =>
    (await ask('searchLogs', { query: { service: 'bakery' } })).lines.length;
  await until(async () => (await find()) === 2, { deadlineMs: 25_000, what: 'both lines' });
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
  await until(async () => (await traces()).length === 1, { deadlineMs: 25_000, what: 'the trace' });
  expect(await traces()).toMatchObject([{ traceId, rootService: 'bakery', durationMs: 40 }]);
  const loaves = async () => await ask('queryMetrics', { query: { query: 'loaves' } });
  await until(async () => (await loaves()).series.length === 1, { deadlineMs: 25_000, what: 'it' });
  expect((await loaves()).series[0]?.points.at(-1)?.[1]).toBe(21);
  expect((await ask('listWatchedServices')).services.map(({ name }) => name)).toContain('bakery');
});

test('log files are followed as they grow', async () => {
  mkdirSync(running.logs, { recursive: true });
  const write = (msg: string): void => {
    const line = { level: 'warn', time: new Date().toISOString(), service: 'cafe', msg };
    appendFileSync(join(running.logs, 'cafe.log'), `${JSON.stringify(line)}\n`);
  };
  const found = async (): Promise<string[]> => {
    const { lines } = await ask('searchLogs', { query: { service: 'cafe' } });
    return lines.map(({ level, message }) => `${level} ${message}`);
  };
  for (const count of [1, 2]) {
    write(`cup ${count}`);
    const isThere = async () => (await found()).length === count;
    await until(isThere, { deadlineMs: 20_000, what: `line ${count}` });
  }
  expect(await found()).toEqual(['warn cup 2', 'warn cup 1']);
});

test('a service of your own is watched from now on, also after a kill', {
  timeout: 90_000,
}, async () => {
  const bakery = createServer((_, reply) => {
    reply.setHeader('content-type', 'text/plain; version=0.0.4').end('loaves_sold_total 7\n');
  });
  await new Promise<void>((done) => bakery.listen(0, '127.0.0.1', done));
  const metricsUrl = `http://127.0.0.1:${(bakery.address() as AddressInfo).port}/metrics`;
  const watch = (name: string, url = metricsUrl) => ({ body: { name, metricsUrl: url } });
  expect(await ask('watchService', watch('oven'))).toEqual({ name: 'oven', metricsUrl });
  expect(await refusal('watchService', watch('oven'))).toBe('409 taken');
  for (const name of ['gateway', 'Gateway', 'MONITOR', 'postgres', 'Prometheus']) {
    expect(await refusal('watchService', watch(name))).toBe('409 taken');
    expect(await refusal('unwatchService', { params: { name } })).toBe('409 part_of_shop');
  }
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
  await running.monitor.kill();
  await running.monitor.start();
  await until(isUp, { deadlineMs: 20_000, what: 'the oven to be up again' });
  const sold = async () => {
    const query = { query: 'loaves_sold_total{service="oven"}' };
    return (await ask('queryMetrics', { query })).series.length;
  };
  await until(async () => (await sold()) === 1, { deadlineMs: 20_000, what: 'its metric' });
  await ask('unwatchService', { params: { name: 'oven' } });
  const isWatched = async (): Promise<boolean> => {
    const { targets } = await ask('monitorHealth');
    return targets.some(({ name }) => name === 'oven');
  };
  expect(await isWatched()).toBe(false);
  expect(await refusal('unwatchService', { params: { name: 'oven' } })).toBe('404 unknown_service');
  await running.monitor.kill();
  await running.monitor.start();
  expect(await isWatched()).toBe(false);
  await ask('watchService', watch('oven'));
  await until(isUp, { deadlineMs: 20_000, what: 'the oven to be watched once more' });
  bakery.close();
  bakery.closeAllConnections();
});

test('a monitor that was killed has kept what it had, and watches itself again', async () => {
  const { traces } = await ask('searchTraces', { query: { attribute: 'oven=left' } });
  expect(traces).toHaveLength(1);
  const watchesItself = async (): Promise<boolean> => {
    const { targets } = await ask('monitorHealth');
    return targets.some(({ name, up }) => name === 'monitor' && up);
  };
  await until(watchesItself, { deadlineMs: 20_000, what: 'the monitor to watch itself' });
});

test('what is no OTLP is refused and harms nothing', async () => {
  expect(await sendOtlp('traces', { resourceSpans: 'nonsense' })).toBe(400);
  expect((await ask('monitorHealth')).status).toBe('up');
});

test('it tells of itself what it took in and what it refused', async () => {
  const logRecords = [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: 'closed' } }];
  expect(
    await sendOtlp('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
  ).toBe(200);
  const told = await readMetrics(running.monitor.url);
  const taken = { signal: 'logs', source: 'otlp' };
  expect(sumOf(told, 'monitor_records_taken_total', taken)).toBe(1);
  const refused = { signal: 'spans', result: 'malformed' };
  expect(sumOf(told, 'monitor_otlp_requests_total', refused)).toBe(1);
  expect(sumOf(told, 'monitor_scrapes_total', { result: 'up' })).toBeGreaterThan(0);
  expect(sumOf(told, 'monitor_store_up')).toBe(1);
});

test('it stops cleanly, with watchers of logs or without', async () => {
  const answer = await fetch(`${running.monitor.url}/api/logs/tail`, {
    headers: { authorization: `Bearer ${running.admin}` },
  });
  const reading = answer.text();
  expect(await running.monitor.stop()).toBe(0);
  expect(await reading).toContain('lines follow');
});
