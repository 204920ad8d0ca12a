// A monitor whose disk does not work: it says so, takes in what comes, and goes on.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningMonitor, startMonitor } from './running-monitor.ts';

let running: RunningMonitor;

beforeAll(async () => {
  // The store wants a folder of this name.
  const fill = (folder: string) => writeFile(join(folder, 'telemetry'), 'not a folder');
  running = await startMonitor({ fill });
}, 60_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

test('it starts, and says what is wrong', async () => {
  const health = await running.ask('monitorHealth');
  expect(health.status).toBe('degraded');
  expect(health.problems[0]).toMatch(/^The store is broken: /);
  const operations = await fetch(`${running.monitor.url}/health`);
  expect(await operations.json()).toMatchObject({
    status: 'degraded',
    dependencies: { 'telemetry store': 'down' },
  });
});

test('what needs the store is told to be away for now, the rest is answered', async () => {
  for (const name of ['searchLogs', 'searchTraces', 'shopAnalytics', 'listAnomalies'] as const) {
    expect(`${name} ${await running.refusal(name)}`).toBe(`${name} 503 unavailable`);
  }
  const sql = { body: { sql: 'SELECT 1' } };
  expect(await running.refusal('runSql', sql)).toBe('503 unavailable');
  expect((await running.ask('listAlerts')).rules.length).toBeGreaterThan(10);
});

test('senders of telemetry notice nothing', async () => {
  const { otlpPort } = await running.ask('monitorHealth');
  const answer = await fetch(`http://127.0.0.1:${otlpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(200);
});

test('it stops cleanly', async () => {
  expect(await running.monitor.stop()).toBe(0);
});
