import * as client from '@prometheus-io/client';
import { metrics as table } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMetrics } from '../src/metrics.ts';

const own = { service: 'orders', instance: 'orders-1' };

test('a scrape reads of our histograms what the registry would say of its own', async () => {
  const anyValue = fc.oneof(
    fc.constantFrom(...table.http_request_duration_seconds.buckets),
    fc.double({ min: 0, max: 20, noNaN: true }),
  );
  const anyObservation = fc.record({
    method: fc.constantFrom('GET', 'POST'),
    route: fc.constantFrom('/a', '/b"\n\\', 'other'),
    value: anyValue,
    held: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyObservation, { maxLength: 50 }), async (observations) => {
      const name = 'http_request_duration_seconds';
      const { help, labels, buckets } = table[name];
      const registry = new client.Registry();
      registry.setDefaultLabels(own);
      const theirs = new client.Histogram({
        ...{ name, help, labelNames: Object.keys(labels), buckets: [...buckets] },
        registers: [registry],
      });
      const ours = createMetrics(own);
      for (const { method, route, value, held } of observations) {
        theirs.observe({ method, route }, value);
        if (held) ours.series(name, { method, route }).observe(value);
        else ours.observe(name, { method, route }, value);
      }
      const linesOf = (text: string): string[] =>
        text.split('\n').filter((line) => line.includes(name) && !line.startsWith('#'));
      const { text } = await ours.expose();
      expect(sorted(linesOf(text))).toEqual(sorted(linesOf(await registry.metrics())));
    }),
    { numRuns: 50 },
  );
});

/** Lines, and the labels in each, in one order. */
function sorted(lines: string[]): string[] {
  return lines.map((line) => line.replace(/\{(.*)\}/, (_, text) => sortedLabels(text))).sort();
}

function sortedLabels(text: string): string {
  return (text.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join();
}

test('beyond a thousand series of a metric the rest is counted together', async () => {
  const metrics = createMetrics(own);
  for (let i = 0; i < 1_100; i++) {
    metrics.count('errors_total', { code: `code ${i}` });
    metrics.observe('db_operation_duration_seconds', { operation: `operation ${i}` }, 1);
  }
  const { text } = await metrics.expose();
  expect(text).toMatch(/errors_total\{[^}]*code="other"[^}]*\} 100\n/);
  expect(text).toMatch(/db_operation_duration_seconds_count\{[^}]*operation="other"[^}]*\} 100\n/);
  expect(text.match(/^errors_total/gm)).toHaveLength(1_001);
});

test('what is read by asking is read at each scrape', async () => {
  const metrics = createMetrics(own);
  let depth = 0;
  metrics.onScrape(() => metrics.set('outbox_depth', {}, ++depth));
  await metrics.expose();
  expect((await metrics.expose()).text).toMatch(/outbox_depth\{[^}]*\} 2\n/);
});

test('who does not answer a scrape, or fails it, keeps nobody else from theirs', async () => {
  const metrics = createMetrics(own);
  metrics.onScrape(() => new Promise(() => undefined));
  metrics.onScrape(() => {
    throw new Error('not now');
  });
  metrics.onScrape(() => metrics.set('outbox_depth', {}, 3));
  expect((await metrics.expose()).text).toMatch(/outbox_depth\{[^}]*\} 3\n/);
});

test('OpenMetrics has the same samples, and an example of a kept trace in the bucket it fell into', async () => {
  const metrics = createMetrics(own);
  const traceId = 'a'.repeat(32);
  const route = { method: 'GET', route: '/a' };
  metrics.count('errors_total', { code: 'busy' }, 3);
  const durations = metrics.series('http_request_duration_seconds', route);
  durations.observe(0.002);
  durations.observe(0.3, traceId);
  const open = await metrics.expose('application/openmetrics-text;version=1.0.0,*/*;q=0.1');
  expect(open.contentType).toContain('application/openmetrics-text');
  const lines = open.text.split('\n');
  const line = (start: string) => lines.filter((one) => one.startsWith(start));
  expect(line('# TYPE errors ')).toEqual(['# TYPE errors counter']);
  expect(line('errors_total{')[0]).toMatch(/ 3$/);
  expect(line('errors_total{')[0]).toContain('service="orders"');
  const exemplars = lines.filter((one) => one.includes(' # {'));
  expect(exemplars).toHaveLength(1);
  expect(exemplars[0]).toContain('le="0.5"');
  expect(exemplars[0]).toMatch(
    new RegExp(` 2 # \\{trace_id="${traceId}"\\} 0\\.3 \\d+(\\.\\d+)?$`),
  );
  expect(open.text.endsWith('# EOF\n')).toBe(true);
  // Afterwards the older format is what it was.
  const { text } = await metrics.expose('text/plain');
  expect(text).toContain('# TYPE errors_total counter');
  expect(text).not.toContain(traceId);
});

test('a series says of which service and instance it is, and nothing else that is known of them', async () => {
  const config = { ...own, databaseUrl: 'postgres://orders:secret@127.0.0.1/orders' };
  const metrics = createMetrics(config);
  metrics.set('outbox_depth', {}, 1);
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const { text } = await metrics.expose(accept);
    expect(text).not.toContain('secret');
    expect(text).toContain('outbox_depth{service="orders",instance="orders-1"} 1\n');
  }
});

test('what is listed in the table is there before it happens, and only what is of this service', async () => {
  const { text } = await createMetrics(own).expose();
  expect(text).toMatch(/^orders_failed_total\{[^}]*reason="deadline"[^}]*\} 0$/m);
  expect(text).toMatch(/^# TYPE breaker_state gauge$/m);
  expect(text).not.toContain('payments_total');
});

test('what is counted by a held series is there at the next scrape, once', async () => {
  const metrics = createMetrics(own);
  const accepted = metrics.counter('orders_accepted_total', { outcome: 'queued' });
  const read = async () =>
    /^orders_accepted_total\{[^}]*outcome="queued"[^}]*\} (\d+)$/m.exec(
      (await metrics.expose()).text,
    )?.[1];
  accepted.inc();
  accepted.inc(4);
  expect(await read()).toBe('5');
  accepted.inc();
  expect(await read()).toBe('6');
  expect(await read()).toBe('6');
});
