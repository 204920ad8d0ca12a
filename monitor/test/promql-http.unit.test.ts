import { describe, expect, test } from 'vitest';
import { printValue } from '../src/promql/api-answer.ts';
import { createQueryApi } from '../src/promql/query-api.ts';
import { memoryLogs } from '../src/testing/memory-logs.ts';
import { everyMs, memorySeries } from '../src/testing/memory-series.ts';

const nowMs = 1_700_000_060_000;
const startMs = 1_700_000_000_000;

const source = memorySeries([
  {
    labels: { __name__: 'up', job: 'orders', instance: 'a' },
    samples: everyMs(15_000, [1, 0, 1, 1], startMs),
  },
  { labels: { __name__: 'temperature', room: 'kitchen' }, samples: [[startMs, -0.5]] },
]);

function api() {
  return createQueryApi({ series: source, logs: memoryLogs([]), nowMs: () => nowMs }).prometheus;
}

const parameters = (given: Record<string, string>): URLSearchParams => new URLSearchParams(given);

function success(data: unknown) {
  return { status: 200, body: { status: 'success', data } };
}

function error(status: number, errorType: string, sentence: RegExp) {
  return { status, body: { status: 'error', errorType, error: expect.stringMatching(sentence) } };
}

describe('an instant query', () => {
  test('answers vectors, scalars and matrices in Prometheus’ shapes', async () => {
    const metric = { __name__: 'up', instance: 'a', job: 'orders' };
    expect(await api().query(parameters({ query: 'up' }))).toEqual(
      success({ resultType: 'vector', result: [{ metric, value: [1_700_000_060, '1'] }] }),
    );
    const time = '1700000000.5';
    expect(await api().query(parameters({ query: '1 / 0', time }))).toEqual(
      success({ resultType: 'scalar', result: [1_700_000_000.5, '+Inf'] }),
    );
    const rfc = '2023-11-14T22:13:50Z';
    expect(await api().query(parameters({ query: 'up[30s]', time: rfc }))).toEqual(
      success({
        resultType: 'matrix',
        result: [
          {
            metric,
            values: [
              [1_700_000_000, '1'],
              [1_700_000_015, '0'],
              [1_700_000_030, '1'],
            ],
          },
        ],
      }),
    );
  });

  test.each([
    [{}, error(400, 'bad_data', /query.*missing/)],
    [{ query: 'up +' }, error(400, 'bad_data', /ends too early/)],
    [{ query: 'deriv(up[5m])' }, error(400, 'bad_data', /deriv is not supported/)],
    [{ query: 'up', time: 'noon' }, error(400, 'bad_data', /"time".*noon/)],
    [{ query: 'up', timeout: 'long' }, error(400, 'bad_data', /"timeout"/)],
    [{ query: 'up + on (x) {__name__=~".+"}' }, error(422, 'execution', /many-to-many/)],
  ])('%j', async (given, expected) => {
    expect(await api().query(parameters(given as Record<string, string>))).toEqual(expected);
  });
});

describe('a range query', () => {
  const given = { query: 'up', start: '1700000000', end: '1700000060', step: '30s' };

  test('answers a matrix', async () => {
    const values = [
      [1_700_000_000, '1'],
      [1_700_000_030, '1'],
      [1_700_000_060, '1'],
    ];
    const metric = { __name__: 'up', instance: 'a', job: 'orders' };
    expect(await api().queryRange(parameters(given))).toEqual(
      success({ resultType: 'matrix', result: [{ metric, values }] }),
    );
  });

  test.each([
    [{ end: '1699999999' }, /end timestamp must not be before/],
    [{ step: '0' }, /zero or negative/],
    [{ step: 'x' }, /"step"/],
    [{ start: '' }, /"start".*missing/],
    [{ end: '1800000000' }, /exceeded maximum resolution of 11000 points/],
    [{ query: 'up[5m]' }, /a range query takes a vector or a number/],
  ])('is refused with %j', async (wrong, why) => {
    const asked = parameters({ ...given, ...wrong });
    expect(await api().queryRange(asked)).toEqual(error(400, 'bad_data', why));
  });

  test('is given up when its time is over, or nobody waits', async () => {
    const stuck = {
      ...source,
      select: (_: unknown, __: unknown, signal?: AbortSignal) => waits(signal),
    };
    const waiting = createQueryApi({ series: stuck, logs: memoryLogs([]), nowMs: () => nowMs });
    const short = parameters({ ...given, timeout: '10ms' });
    expect(await waiting.prometheus.queryRange(short)).toEqual(error(503, 'timeout', /timed out/));
    expect(await waiting.prometheus.query(parameters(given), AbortSignal.abort())).toEqual(
      error(499, 'canceled', /canceled/),
    );
  });
});

async function waits(signal?: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}

test('labels, their values and series are told as Prometheus tells them', async () => {
  const none = parameters({});
  expect(await api().labels(none)).toEqual(success(['__name__', 'instance', 'job', 'room']));
  const ofUp = parameters({ 'match[]': 'up' });
  expect(await api().labels(ofUp)).toEqual(success(['__name__', 'instance', 'job']));
  expect(await api().labelValues('__name__', none)).toEqual(success(['temperature', 'up']));
  expect(await api().labelValues('room', ofUp)).toEqual(success([]));
  expect(await api().labelValues('a-b', none)).toEqual(error(400, 'bad_data', /a-b is no name/));
  expect(await api().series(ofUp)).toEqual(
    success([{ __name__: 'up', instance: 'a', job: 'orders' }]),
  );
  const early = parameters({ 'match[]': '{__name__=~".+"}', end: '1600000000' });
  expect(await api().series(early)).toEqual(success([]));
  expect(await api().series(none)).toEqual(error(400, 'bad_data', /no match\[\]/));
  const wrong = parameters({ 'match[]': 'rate(up[5m])' });
  expect(await api().series(wrong)).toEqual(error(400, 'bad_data', /is no selector/));
});

test('what Grafana asks first is answered with what there is', () => {
  expect(api().metadata()).toEqual(success({}));
  expect(api().buildInfo()).toMatchObject({
    body: { status: 'success', data: { version: '2.42.0+rushlight' } },
  });
});

test.each([
  [0, '0'],
  [-0, '-0'],
  [1.5, '1.5'],
  [1e-7, '1e-07'],
  [-2.5e-10, '-2.5e-10'],
  [1e21, '1e+21'],
  [1e20, '100000000000000000000'],
  [0.000001, '0.000001'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])('the value %d is printed as %s', (value, expected) => {
  expect(printValue(value)).toBe(expected);
});
