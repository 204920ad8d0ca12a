import { describe, expect, test } from 'vitest';
import { ruleGroups } from '../src/alerting/rule-groups.ts';
import type { Sample } from '../src/model.ts';
import { decodeJson } from '../src/otlp/json.ts';
import { metricName } from '../src/otlp/metric-names.ts';
import { isOwnMetric } from '../src/otlp/own-names.ts';
import { decodeProtobuf } from '../src/otlp/protobuf.ts';
import { logsOf } from '../src/otlp/translate-logs.ts';
import { samplesOf } from '../src/otlp/translate-metrics.ts';
import { parsePromql } from '../src/promql/parse.ts';
import { recordingRules } from '../src/rules.ts';
import { encodeRequest } from './otlp-encoder.ts';

/** Of every selector, as the expression has it. */
function namesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if (!Array.isArray(node) && 'label' in node && node.label === '__name__') {
    return 'value' in node ? [String(node.value)] : [];
  }
  return Object.values(node).flatMap(namesIn);
}

const nowMs = 1_790_078_400_000;
const nowUs = nowMs * 1_000;
const timeUnixNano = `${nowMs}000000`;
const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = {
  attributes: [
    ...[text('service.name', 'shop'), text('service.namespace', 'campus')],
    ...[text('service.instance.id', 'shop-7'), text('os.type', 'linux')],
  ],
};
const target = { job: 'campus/shop', service: 'shop', instance: 'shop-7' };

/** Translated from both encodings, which must agree. */
function translated(...metrics: object[]) {
  const request = { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] };
  const fromJson = decodeJson('MetricsRequest', JSON.stringify(request));
  const bytes = encodeRequest('MetricsRequest', request);
  const answer = samplesOf(decodeProtobuf('MetricsRequest', bytes), nowUs);
  expect(samplesOf(fromJson, nowUs).records).toEqual(answer.records);
  return { records: answer.records, refused: answer.refusals.message() };
}

const lines = (records: readonly Sample[]): string[] =>
  records.map(({ name, labels, value, stale }) => {
    const { job, service, instance, ...own } = labels;
    return `${name}${JSON.stringify(own)} ${stale ? 'stale' : value}`;
  });

describe('metrics', () => {
  test('a sum that only grows is a counter, a gauge is a gauge; both name their target', () => {
    const { records } = translated(
      {
        name: 'http.server.requests',
        unit: '{request}',
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [{ timeUnixNano, asInt: '5', attributes: [text('http.route', '/a')] }],
        },
      },
      { name: 'queue.size', unit: 'By', gauge: { dataPoints: [{ timeUnixNano, asDouble: -1.5 }] } },
      {
        name: 'load',
        sum: { aggregationTemporality: 2, dataPoints: [{ timeUnixNano, asInt: -3 }] },
      },
    );
    expect(records).toEqual([
      {
        name: 'http_server_requests_total',
        labels: { http_route: '/a', ...target },
        atMs: nowMs,
        value: 5,
      },
      { name: 'queue_size_bytes', labels: target, atMs: nowMs, value: -1.5 },
      { name: 'load', labels: target, atMs: nowMs, value: -3 },
      { name: 'target_info', labels: { os_type: 'linux', ...target }, atMs: nowMs, value: 1 },
    ]);
  });

  test('a histogram becomes cumulative buckets, with exemplars where they belong', () => {
    const exemplar = { timeUnixNano, asDouble: 0.3, traceId, spanId };
    const { records } = translated({
      name: 'latency',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...{ timeUnixNano, count: '6', sum: 2.5, exemplars: [exemplar] },
            ...{ bucketCounts: ['1', '2', '3'], explicitBounds: [0.1, 0.5] },
          },
        ],
      },
    });
    expect(lines(records)).toEqual([
      'latency_seconds_bucket{"le":"0.1"} 1',
      'latency_seconds_bucket{"le":"0.5"} 3',
      'latency_seconds_bucket{"le":"+Inf"} 6',
      'latency_seconds_count{} 6',
      'latency_seconds_sum{} 2.5',
      'target_info{"os_type":"linux"} 1',
    ]);
    expect(records.map((record) => record.exemplar)).toEqual([
      ...[undefined, { traceId, value: 0.3, atMs: nowMs }, undefined],
      ...[undefined, undefined, undefined],
    ]);
  });

  test('a summary keeps its quantiles', () => {
    const { records } = translated({
      name: 'size',
      summary: {
        dataPoints: [
          { timeUnixNano, count: '2', sum: 9, quantileValues: [{ quantile: 0.5, value: 4 }] },
        ],
      },
    });
    expect(lines(records)).toEqual([
      'size{"quantile":"0.5"} 4',
      'size_count{} 2',
      'size_sum{} 9',
      'target_info{"os_type":"linux"} 1',
    ]);
  });

  test('a point without a recorded value ends its series', () => {
    const { records } = translated({
      name: 'oven_on',
      gauge: { dataPoints: [{ timeUnixNano, flags: 1 }] },
    });
    expect(lines(records)).toEqual(['oven_on{} stale', 'target_info{"os_type":"linux"} 1']);
  });

  test('what cannot be kept is refused with its reason', () => {
    const later = `${nowMs + 86_400_000}000000`;
    const point = { timeUnixNano, asInt: '1' };
    const { records, refused } = translated(
      {
        name: 'delta',
        sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point, point] },
      },
      { name: 'exp', exponentialHistogram: { dataPoints: [{ timeUnixNano, count: '1' }] } },
      { name: '', gauge: { dataPoints: [point] } },
      { name: 'later', gauge: { dataPoints: [{ ...point, timeUnixNano: later }] } },
      {
        name: 'torn',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [{ timeUnixNano, bucketCounts: ['1'], explicitBounds: [1, 2] }],
        },
      },
    );
    expect(records).toEqual([]);
    expect(refused).toBe(
      '2 refused: only cumulative sums are kept; set the temporality to cumulative; ' +
        '1 refused: exponential histograms are not kept; use explicit bounds; ' +
        '2 refused: a point must have a name and an instant that is not in the future; ' +
        '1 refused: a histogram must have one bucket more than bounds',
    );
  });

  test.each([
    ['up', ''],
    ['scrape.samples.scraped', ''],
    ['ALERTS', ''],
    ['slo:errors:rate5m', ''],
    ['service:http_requests:rate5m', ''],
    ['dead.letters', ''],
    ['http_requests_total', ''],
    ['http.requests', ''],
    ['http.request.duration', 's'],
    ['db_operation_duration_seconds_sum', ''],
    ['process.resident.memory', 'By'],
  ])('%s is ours, and not taken from outside', (name, unit) => {
    const dataPoints = [{ timeUnixNano, asDouble: 0 }];
    const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
    const one = name === 'http.requests' ? { sum } : { gauge: { dataPoints } };
    const { records, refused } = translated({ name, unit, ...one });
    expect(records).toEqual([]);
    expect(refused).toBe('1 refused: the name of the metric is one of the shop or of the monitor');
  });

  test('a summary and a histogram under a name of ours are refused with all their points', () => {
    const dataPoints = [{ timeUnixNano, count: '1', sum: 1 }];
    const { records, refused } = translated(
      { name: 'up', summary: { dataPoints: [...dataPoints, ...dataPoints] } },
      { name: 'up', histogram: { aggregationTemporality: 2, dataPoints } },
    );
    expect(records).toEqual([]);
    expect(refused).toBe('3 refused: the name of the metric is one of the shop or of the monitor');
  });

  test('whatever a rule reads or writes is ours', () => {
    const exprs = ruleGroups.flatMap(({ recording, alerts }) => [
      ...recording.map(({ expr }) => expr),
      ...alerts.map(({ rule }) => rule.expr),
    ]);
    const read = exprs.flatMap((expr) => namesIn(parsePromql(expr)));
    expect(read.length).toBeGreaterThan(40);
    const written = recordingRules.map(({ record }) => record);
    expect([...read, ...written].filter((name) => !isOwnMetric(name))).toEqual([]);
  });

  test.each(['gateway', 'Monitor', ' ORDERS ', 'postgres'])('%s is a name of ours', (service) => {
    const named = { attributes: [text('service.name', service)] };
    const metric = { name: 'heat', gauge: { dataPoints: [{ timeUnixNano }, { timeUnixNano }] } };
    const resourceMetrics = [{ resource: named, scopeMetrics: [{ metrics: [metric] }] }];
    const metrics = samplesOf(
      decodeJson('MetricsRequest', JSON.stringify({ resourceMetrics })),
      nowUs,
    );
    expect(metrics.records).toEqual([]);
    const why = 'the service.name is that of a part of the shop';
    expect(metrics.refusals.message()).toBe(`2 refused: ${why}`);
    const logRecords = [{ timeUnixNano, body: { stringValue: 'all is well' } }];
    const resourceLogs = [{ resource: named, scopeLogs: [{ logRecords }] }];
    const lines = logsOf(decodeJson('LogsRequest', JSON.stringify({ resourceLogs })), nowUs);
    expect(lines.records).toEqual([]);
    expect(lines.refusals.message()).toBe(`1 refused: ${why}`);
  });

  test('a service has at most 256 characters of a name', () => {
    const named = { attributes: [text('service.name', 'x'.repeat(5_000))] };
    const metric = { name: 'heat', gauge: { dataPoints: [{ timeUnixNano }] } };
    const resourceMetrics = [{ resource: named, scopeMetrics: [{ metrics: [metric] }] }];
    const request = decodeJson('MetricsRequest', JSON.stringify({ resourceMetrics }));
    const [first] = samplesOf(request, nowUs).records;
    expect(first?.labels['service']).toBe('x'.repeat(256));
    expect(first?.labels['job']).toBe('x'.repeat(256));
  });

  test.each([
    ['http.server.request.duration', 's', 'other', 'http_server_request_duration_seconds'],
    ['requests_total', '', 'counter', 'requests_total'],
    ['total.requests', '1', 'counter', 'requests_total'],
    ['io', 'By/s', 'gauge', 'io_bytes_per_second'],
    ['usage', '1', 'gauge', 'usage_ratio'],
    ['usage', '%', 'gauge', 'usage_percent'],
    ['process.time.seconds', 's', 'counter', 'process_time_seconds_total'],
    ['2xx', '', 'gauge', '_2xx'],
    ['x', 'constructor', 'gauge', 'x_constructor'],
    ['…', '', 'gauge', ''],
  ] as const)('%s in %s, a %s, is %s', (name, unit, shape, expected) => {
    expect(metricName(name, unit, shape)).toBe(expected);
  });
});

describe('logs', () => {
  const logs = (...logRecords: object[]) => {
    const request = { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
    const fromJson = decodeJson('LogsRequest', JSON.stringify(request));
    const bytes = encodeRequest('LogsRequest', request);
    const answer = logsOf(decodeProtobuf('LogsRequest', bytes), nowUs);
    expect(logsOf(fromJson, nowUs).records).toEqual(answer.records);
    return { records: answer.records, refused: answer.refusals.message() };
  };

  test('a record keeps its body, level, trace and attributes; LogQL sees JSON', () => {
    const { records } = logs({
      ...{ timeUnixNano, severityNumber: 17, traceId, spanId },
      body: { stringValue: 'no stock' },
      attributes: [text('sku', 'soup'), { key: 'left', value: { intValue: '0' } }],
    });
    expect(records).toEqual([
      {
        atUs: nowUs,
        service: 'shop',
        instance: 'shop-7',
        level: 'error',
        message: 'no stock',
        line: '{"level":"error","msg":"no stock","sku":"soup","left":0}',
        traceId,
        spanId,
        attributes: { sku: 'soup', left: 0 },
      },
    ]);
  });

  test('a record without attributes is its body; one without an instant is of now', () => {
    const map = { kvlistValue: { values: [{ key: 'a', value: { boolValue: true } }] } };
    const { records } = logs(
      { body: { stringValue: 'plain' }, severityText: 'WARNING', traceId: '00' },
      { body: map, observedTimeUnixNano: `${nowMs - 5}000000` },
      {},
    );
    expect(records.map(({ level, message, line }) => [level, message, line])).toEqual([
      ['warn', 'plain', 'plain'],
      ['info', '{"a":true}', '{"a":true}'],
      ['info', '', ''],
    ]);
    expect(records.map(({ atUs }) => atUs)).toEqual([nowUs, nowUs - 5_000, nowUs]);
    expect(records.map(({ traceId: id }) => id)).toEqual([undefined, undefined, undefined]);
  });

  test('a record of the future is refused, a huge body is cut', () => {
    const { records, refused } = logs(
      { timeUnixNano: `${nowMs + 86_400_000}000000` },
      { timeUnixNano, body: { stringValue: 'x'.repeat(100_000) } },
    );
    expect(refused).toBe('1 refused: the instant of a log record is in the future');
    expect(records.map(({ line }) => line.length)).toEqual([65_536]);
  });
});
