import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LinesExpression } from '../src/logql/ast.ts';
import { parseLogql } from '../src/logql/parse.ts';
import { readLines } from '../src/logql/read-lines.ts';
import type { LogRecord } from '../src/model.ts';
import { createQueryApi } from '../src/promql/query-api.ts';
import { memoryLogs } from '../src/testing/memory-logs.ts';
import { memorySeries } from '../src/testing/memory-series.ts';

const startS = 1_700_000_000;
const endS = startS + 600;

function line(atS: number, fields: object | string, stream: Partial<LogRecord> = {}): LogRecord {
  const text = typeof fields === 'string' ? fields : JSON.stringify(fields);
  return {
    atUs: Math.round((startS + atS) * 1_000_000),
    service: 'orders',
    instance: 'orders-1',
    level: 'info',
    message: text,
    line: text,
    attributes: {},
    ...stream,
  };
}

const records = [
  line(10, {
    msg: 'placed',
    durationMs: 10,
    route: '/orders',
    level: 'info',
    http: { status: 201 },
  }),
  line(20, { msg: 'placed', durationMs: 30, route: '/orders', http: { status: 500 } }),
  line(30, 'Segmentation fault', { level: 'error' }),
  line(40, { msg: 'listed', durationMs: 2.5, route: '/menu', http: { status: 200 } }),
  line(50, { msg: 'cooked', durationMs: 'long' }, { service: 'kitchen', instance: 'kitchen-1' }),
];

function api() {
  const series = memorySeries([]);
  return createQueryApi({ series, logs: memoryLogs(records), nowMs: () => endS * 1_000 }).loki;
}

const instant = async (query: string, time = `${startS + 60}`): Promise<unknown> =>
  await api().query(new URLSearchParams({ query, time }));

async function values(query: string, time?: string): Promise<unknown> {
  const { status, body } = (await instant(query, time)) as {
    status: number;
    body: { data: { result: { metric: object; value: [number, string] }[] } };
  };
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data.result.map(({ metric, value }) => [metric, value[1]]);
}

async function lines(query: string, more: Record<string, string> = {}): Promise<unknown> {
  const parameters = new URLSearchParams({ query, start: `${startS}`, end: `${endS}`, ...more });
  const { status, body } = (await api().queryRange(parameters)) as {
    status: number;
    body: { data: { result: { stream: object; values: [string, string][] }[] } };
  };
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data.result.flatMap((stream) =>
    stream.values.map(([at]) => (Number(at) / 1e9 - startS).toFixed(0)),
  );
}

const stream = { instance: 'orders-1', level: 'info', service: 'orders' };

describe('lines', () => {
  test.each([
    ['{service="orders"}', ['40', '20', '10', '30']],
    ['{service=~"ord.*|kit.*", level!="error"}', ['50', '40', '20', '10']],
    ['{service="orders"} |= "placed"', ['20', '10']],
    ['{service="orders"} != "placed"', ['40', '30']],
    ['{service="orders"} |~ "pla.ed|fault$"', ['30', '20', '10']],
    ['{service="orders"} !~ "\\\\{"', ['30']],
    ['{service="orders"} | json | route="/menu"', ['40']],
    ['{service="orders"} | json | http_status >= 500', ['20']],
    ['{service="orders"} | json | durationMs < 20 and route=~"/.*"', ['40', '10']],
    ['{service="orders"} | json | route="/menu" or http_status=500', ['40', '20']],
    ['{service="orders"} | json | level="error"', ['30']],
    ['{service="orders"} | json | __error__="JSONParserErr"', ['30']],
    ['{service="orders"} | json | level_extracted="info"', ['10']],
    ['{service="kitchen"} | json | durationMs > 1', ['50']],
    ['({service="orders"} |= "listed")', ['40']],
  ])('%s', async (query, expected) => {
    expect(await lines(query)).toEqual(expected);
  });

  test('come oldest first when asked, and not more than asked', async () => {
    const query = '{service="orders"} |~ "placed|listed"';
    expect(await lines(query, { direction: 'forward', limit: '2' })).toEqual(['10', '20']);
    expect(await lines(query, { limit: '1' })).toEqual(['40']);
  });

  test('have the fields of their JSON as labels, and instants in nanoseconds', async () => {
    const parameters = new URLSearchParams({ query: '{service="orders"} |= "listed" | json' });
    expect(await api().queryRange(parameters)).toEqual({
      status: 200,
      body: {
        status: 'success',
        data: {
          resultType: 'streams',
          result: [
            {
              stream: {
                ...stream,
                durationMs: '2.5',
                http_status: '200',
                msg: 'listed',
                route: '/menu',
              },
              values: [[`${startS + 40}000000000`, records[3]?.line]],
            },
          ],
          stats: {},
        },
      },
    });
  });
});

describe('metrics', () => {
  test.each([
    [
      'avg_over_time({service="orders"} | json | unwrap durationMs [1m])',
      [[stream, String((10 + 30 + 2.5) / 3)]],
    ],
    ['max_over_time({service="orders"} | json | unwrap durationMs [1m])', [[stream, '30']]],
    ['min_over_time({service="orders"} | json | unwrap durationMs [1m])', [[stream, '2.5']]],
    ['sum_over_time({service="orders"} | json | unwrap durationMs [1m])', [[stream, '42.5']]],
    ['rate({service="orders"} | json | unwrap durationMs [1m])', [[stream, String(42.5 / 60)]]],
    [
      'avg_over_time({service="orders"} | json | unwrap durationMs | durationMs > 5 [1m])',
      [[stream, '20']],
    ],
    [
      'max_over_time({service="orders"} | json | unwrap durationMs [1m]) by (route)',
      [
        [{ route: '/orders' }, '30'],
        [{ route: '/menu' }, '2.5'],
      ],
    ],
    ['sum(count_over_time({service="orders"}[1m]))', [[{}, '4']]],
    [
      'sum by (level) (count_over_time({service="orders"}[1m]))',
      [
        [{ level: 'info' }, '3'],
        [{ level: 'error' }, '1'],
      ],
    ],
    [
      'sum by (route) (count_over_time({service="orders"} |= "durationMs" | json [1m]))',
      [
        [{ route: '/orders' }, '2'],
        [{ route: '/menu' }, '1'],
      ],
    ],
    [
      'sum without (level, instance) (rate({service="orders"}[1m]))',
      [[{ service: 'orders' }, String(3 / 60 + 1 / 60)]],
    ],
    ['count(count_over_time({service=~".+"}[1m]))', [[{}, '3']]],
    ['avg(count_over_time({service="orders"}[1m]))', [[{}, '2']]],
    ['max(count_over_time({service="orders"}[1m]))', [[{}, '3']]],
    ['min(count_over_time({service="orders"}[1m]))', [[{}, '1']]],
    ['count_over_time({service="nobody"}[1m])', []],
    ['vector(1)+vector(1)', [[{}, '2']]],
    ['1 + 2 * vector(3)', [[{}, '7']]],
    ['vector(10) - 2 - (3 - 1)', [[{}, '6']]],
    ['2 ^ (1 + 2) * vector(1)', [[{}, '8']]],
    [
      '100 * sum(count_over_time({level="error"}[1m])) / sum(count_over_time({service="orders"}[1m]))',
      [[{}, '25']],
    ],
    [
      'sum by (level) (count_over_time({service="orders"}[1m])) * sum by (level) (rate({level="error"}[1m]))',
      [[{ level: 'error' }, String(1 / 60)]],
    ],
  ])('%s', async (query, expected) => {
    expect(await values(query)).toEqual(expected);
  });

  test('leave the start of a range out and take its end in', async () => {
    const query = 'sum(count_over_time({service="orders"}[10s]))';
    expect(await values(query, `${startS + 20}`)).toEqual([[{}, '1']]);
    expect(await values(query, `${startS + 19}.999`)).toEqual([[{}, '1']]);
    expect(await values(query, `${startS + 9}`)).toEqual([]);
  });

  test('over time, are the metrics at each step', async () => {
    const query = 'sum(count_over_time({service="orders"}[30s]))';
    const [start, end] = [`${startS}000000000`, `${startS + 60}000000000`];
    const parameters = new URLSearchParams({ query, start, end, step: '20' });
    expect(await api().queryRange(parameters)).toEqual({
      status: 200,
      body: {
        status: 'success',
        data: {
          resultType: 'matrix',
          result: [
            {
              metric: {},
              values: [
                [startS + 20, '2'],
                [startS + 40, '3'],
                [startS + 60, '1'],
              ],
            },
          ],
          stats: {},
        },
      },
    });
  });

  test('of lines that are not what the query says, are an error that tells how to go on', async () => {
    expect(await instant('count_over_time({service="orders"} | json [1m])')).toEqual({
      status: 400,
      body: expect.stringMatching(/JSONParserErr.*service="orders".*__error__!="JSONParserErr"/),
    });
    expect(
      await instant('sum_over_time({service="kitchen"} | json | unwrap durationMs [1m])'),
    ).toEqual({ status: 400, body: expect.stringContaining('SampleExtractionErr') });
    const skips = '| unwrap durationMs | __error__="" [1m]';
    expect(await values(`sum_over_time({service="kitchen"} | json ${skips})`)).toEqual([]);
  });
});

describe('pages of lines', { timeout: 60_000 }, () => {
  const query = parseLogql('{service="orders"} |~ "."') as LinesExpression;
  const range = { fromMs: startS * 1_000, toMs: endS * 1_000 };

  async function read(records: LogRecord[], newestFirst: boolean, linesMax: number) {
    const found: string[] = [];
    const limits = { linesMax, pageLines: 8 };
    const reading = { range, newestFirst };
    for await (const page of readLines(query, memoryLogs(records), reading, undefined, limits)) {
      expect(page.length).toBeLessThanOrEqual(8);
      found.push(...page.map((record) => record.line));
    }
    return found;
  }

  test('meet without a gap and without a line twice', async () => {
    const anyInstants = fc
      .array(fc.nat({ max: 40_000 }), { maxLength: 60, size: 'max' })
      .map((all) => all.sort((a, b) => a - b))
      .filter((all) => all.every((us, index) => (all[index + 6] ?? Infinity) - us > 1_000));
    await fc.assert(
      fc.asyncProperty(anyInstants, fc.boolean(), async (instants, newestFirst) => {
        const records = instants.map((us, index) => line(us / 1_000_000, `${index}`));
        const expected = records.map((record) => record.line);
        if (newestFirst) expected.reverse();
        expect(await read(records, newestFirst, 1_000)).toEqual(expected);
      }),
    );
  });

  test('end where a question has read enough, and where a millisecond holds more than one', async () => {
    const many = Array.from({ length: 100 }, (_, index) => line(index / 1_000, 'x'));
    await expect(read(many, true, 50)).rejects.toThrow(/more than 50 lines/);
    const atOnce = Array.from({ length: 100 }, () => line(1, 'x'));
    await expect(read(atOnce, false, 1_000)).rejects.toThrow(/more than 1000 lines/);
  });
});

describe('what is not supported is refused by name', () => {
  test.each([
    ['{a="b"} | logfmt', /logfmt is not supported/],
    ['{a="b"} | regexp "x"', /regexp is not supported/],
    ['{a="b"} | pattern "x"', /pattern is not supported/],
    ['{a="b"} | unpack', /unpack is not supported/],
    ['{a="b"} | line_format "x"', /line_format is not supported/],
    ['{a="b"} | label_format x=y', /label_format is not supported/],
    ['{a="b"} | drop x', /drop is not supported/],
    ['{a="b"} | keep x', /keep is not supported/],
    ['{a="b"} | decolorize', /decolorize is not supported/],
    ['{a="b"} | json x="y"', /json with expressions/],
    ['{a="b"} |> "x"', /\|> is not supported/],
    ['{a="b"} |= "x" or "y"', /or between line filters/],
    ['{a="b"} |= ip("1.2.3.4")', /ip\(\)/],
    ['{a="b"} | x = ip("1.2.3.4")', /ip\(\)/],
    ['{a="b"} | x > 10ms', /durations and sizes/],
    ['bytes_over_time({a="b"}[1m])', /the function bytes_over_time is not supported/],
    ['quantile_over_time(0.9, {a="b"} | unwrap x [1m])', /the function quantile_over_time/],
    ['avg_over_time({a="b"} | unwrap duration(x) [1m])', /duration\(\) in unwrap/],
    ['rate({a="b"}[1m] offset 5m)', /offset is not supported/],
    ['topk(2, rate({a="b"}[1m]))', /the aggregation topk is not supported/],
    ['rate({a="b"}[1m]) > 1', /the operator > is not supported/],
    ['rate({a="b"}[1m]) and rate({a="c"}[1m])', /the operator and is not supported/],
    ['rate({a="b"}[1m]) + on (x) rate({a="c"}[1m])', /on \(x\) is not supported/],
    ['1 + 1', /a number by itself/],
    ['label_replace(rate({a="b"}[1m]), "x", "y", "z", "w")', /label_replace is not supported/],
  ])('%s', (query, why) => {
    expect(() => parseLogql(query)).toThrow(expect.objectContaining({ kind: 'unsupported' }));
    expect(() => parseLogql(query)).toThrow(why);
  });

  test.each([
    ['', /empty/],
    ['{}', /unexpected }/],
    ['{a=""}', /needs a matcher/],
    ['{a="b', /unexpected "b/],
    ['{a="b"} |~ "(?=x)"', /looking ahead/],
    ['rate({a="b"})', /unexpected \)/],
    ['nonsense({a="b"}[1m])', /unknown function nonsense/],
    ['avg_over_time({a="b"}[1m])', /avg_over_time goes with unwrap/],
    ['count_over_time({a="b"} | unwrap x [1m])', /count_over_time goes without unwrap/],
    ['rate({a="b"}[1m]) by (x)', /by goes with/],
    ['rate({a="b"}[0s])', /no range/],
  ])('%s is no LogQL', (query, why) => {
    expect(() => parseLogql(query)).toThrow(expect.objectContaining({ kind: 'syntax' }));
    expect(() => parseLogql(query)).toThrow(why);
  });
});

describe('Loki’s HTTP form', () => {
  test('tells labels, their values and series', async () => {
    const none = new URLSearchParams();
    const data = (found: unknown) => ({ status: 200, body: { status: 'success', data: found } });
    expect(await api().labels(none)).toEqual(data(['instance', 'level', 'service']));
    expect(await api().labelValues('service', none)).toEqual(data(['kitchen', 'orders']));
    const ofOrders = new URLSearchParams({ query: '{service="orders"}' });
    expect(await api().labelValues('level', ofOrders)).toEqual(data(['error', 'info']));
    const series = new URLSearchParams({ 'match[]': '{service="kitchen"}' });
    expect(await api().series(series)).toEqual(
      data([{ service: 'kitchen', instance: 'kitchen-1', level: 'info' }]),
    );
  });

  test.each([
    [{ query: '{service="orders"}', limit: '0' }, /limit/],
    [{ query: '{service="orders"}', limit: '5001' }, /5000/],
    [{ query: '{service="orders"}', direction: 'up' }, /direction/],
    [{ query: '{service="orders"}', start: `${endS}`, end: `${startS}` }, /end/],
    [{ query: 'rate({service="orders"}[1m])', step: '0' }, /step/],
    [{}, /query/],
  ])('says what is wrong with %j', async (given, why) => {
    const parameters = new URLSearchParams(given as Record<string, string>);
    const { status, body } = await api().queryRange(parameters);
    expect([status, body]).toEqual([400, expect.stringMatching(why)]);
  });

  test('has no instant answer for lines, as Loki has none', async () => {
    expect(await instant('{service="orders"}')).toEqual({
      status: 400,
      body: expect.stringContaining('not supported as an instant query'),
    });
  });

  test('refuses more steps and series than it can take', async () => {
    const query = 'rate({service="orders"}[1m])';
    const steps = new URLSearchParams({ query, start: '1', end: `${endS}`, step: '1' });
    expect(await api().queryRange(steps)).toEqual({
      status: 422,
      body: expect.stringContaining('11000 points'),
    });
    const flood = Array.from({ length: 5_001 }, (_, id) =>
      line(id / 1_000, JSON.stringify({ id })),
    );
    const flooded = createQueryApi({
      series: memorySeries([]),
      logs: memoryLogs(flood),
      nowMs: () => endS * 1_000,
    }).loki;
    const perLine = 'sum by (id) (count_over_time({service="orders"} | json [10m]))';
    expect(await flooded.query(new URLSearchParams({ query: perLine }))).toEqual({
      status: 422,
      body: expect.stringContaining('more than 5000 series'),
    });
  });
});

test.each(['{service="orders"} |~ PATTERN', 'count_over_time({service="orders"} |~ PATTERN [1h])'])(
  'what costs much on each line is given up within a page: %s',
  async (query) => {
    const pattern = '`([0-7].{90}!|[1-6].{90}#|[2-9a-f].{900}Z|[02468ace].{900}Y)`';
    const text = (k: number): string =>
      Array.from({ length: 20 }, (_, i) => ((k * 7_919 + i * 104_729) ** 3).toString(16)).join('');
    const logs = memoryLogs(Array.from({ length: 4_000 }, (_, k) => line(k / 10, text(k))));
    const { loki } = createQueryApi({ series: memorySeries([]), logs, nowMs: () => endS * 1_000 });
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 20);
    const parameters = new URLSearchParams({
      query: query.replace('PATTERN', pattern),
      start: `${startS}`,
      end: `${endS}`,
    });
    expect(await loki.queryRange(parameters, leaving.signal)).toMatchObject({ status: 499 });
  },
);
