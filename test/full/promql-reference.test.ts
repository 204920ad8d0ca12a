// The monitor's answers to PromQL beside those of Debian's Prometheus, on the same samples: random
// expressions of the whole subset, each at an instant and over a range.

import { seededRandom } from '@rushlight/chassis/testing';
import { createQueryApi, evaluateInstant } from '@rushlight/monitor';
import { everyMs, memoryLogs, memorySeries } from '@rushlight/monitor/testing';
import { expect, onTestFinished, test } from 'vitest';
import { prometheusMissing, promtoolTest, startPrometheus } from '../src/prometheus.ts';
import { compareAnswers } from '../src/promql-comparison.ts';
import { PromqlQueries } from '../src/promql-queries.ts';
import { promqlSamples, samplesForMs, samplesFromMs } from '../src/promql-samples.ts';
import { report } from '../src/report.ts';

/** The same on each run: what is compared here is compared with a program that does not change. */
const seed = 20_264;
/** At least so many have to have values to compare; some of the others fail, on both sides. */
const comparedMin = 500;
const queriesMax = 1_500;

const missing = prometheusMissing();
if (missing !== undefined) report(`PromQL beside Prometheus: not run, because ${missing}`);

test.skipIf(missing !== undefined)('the monitor answers PromQL as Prometheus does', async () => {
  report(`seed of PromQL: ${seed}`);
  const dice = seededRandom(seed);
  const samples = promqlSamples(dice);
  await using reference = await startPrometheus(samples);
  const nowMs = samplesFromMs + samplesForMs;
  const ours = createQueryApi({
    series: memorySeries(samples),
    logs: memoryLogs([]),
    nowMs: () => nowMs,
  }).prometheus;
  const queries = new PromqlQueries(dice);
  let [compared, values, failed] = [0, 0, 0];
  onTestFinished(() => {
    report(
      `${compared} expressions with values, ${values} values; ${failed} without any, on both sides`,
    );
  });
  for (let count = 0; count < queriesMax && compared < comparedMin; count++) {
    const query = queries.next();
    const instant = { query, time: String(timeS(dice)) };
    const start = timeS(dice);
    const step = [1, 7.25, 15, 60][Math.floor(dice() * 4)] ?? 15;
    const range = { query, start: `${start}`, end: `${start + 30 * step}`, step: `${step}` };
    const at = compareAnswers(
      await reference.ask('/api/v1/query', instant),
      await ours.query(new URLSearchParams(instant)),
    );
    expect.soft(at.difference, JSON.stringify(instant)).toBeUndefined();
    const over = compareAnswers(
      await reference.ask('/api/v1/query_range', range),
      await ours.queryRange(new URLSearchParams(range)),
    );
    expect.soft(over.difference, JSON.stringify(range)).toBeUndefined();
    if (at.values + over.values > 0) compared++;
    else failed++;
    values += at.values + over.values;
  }
  expect(compared).toBeGreaterThanOrEqual(comparedMin);
});

test.skipIf(missing !== undefined)('labels and series are told as Prometheus does', async () => {
  const samples = promqlSamples(seededRandom(seed));
  await using reference = await startPrometheus(samples);
  const series = memorySeries(samples);
  const ours = createQueryApi({ series, logs: memoryLogs([]), nowMs: Date.now }).prometheus;
  for (const matcher of ['up', '{service=~"o.*", status!=""}', '{__name__=~".*_.+"}', 'nothing']) {
    const asked = { 'match[]': matcher };
    const parameters = new URLSearchParams(asked);
    expect(await ours.labels(parameters)).toEqual(await reference.ask('/api/v1/labels', asked));
    const [wanted, found] = [
      await reference.ask('/api/v1/series', asked),
      await ours.series(parameters),
    ];
    expect(inOrder(found)).toEqual(inOrder(wanted));
  }
  for (const wrong of ['up +', '{}', 'rate(up[5m])']) {
    const asked = { 'match[]': wrong };
    const { status, body } = await reference.ask('/api/v1/series', asked);
    expect(await ours.series(new URLSearchParams(asked))).toMatchObject({
      status,
      body: { ...(body as object), error: expect.any(String) },
    });
  }
});

function inOrder({ status, body }: { status: number; body: unknown }): unknown {
  const { data } = body as { data: object[] };
  return { status, series: data.map((one) => JSON.stringify(Object.entries(one).sort())).sort() };
}

/** Of series that end and come back, as promtool notes them; every 30 s. */
const stepMs = 30_000;
const endingQueries = [
  'a',
  'a offset 1m',
  'sum(a)',
  'absent(a{x="0"})',
  'count_over_time(a[3m])',
  'last_over_time(a[2m])',
  'rate(a[5m])',
  'a > 5 or on (x) a offset 3m',
];

test.skipIf(missing !== undefined)(
  'a series that ended has no value, as in Prometheus',
  async () => {
    const dice = seededRandom(seed);
    const notes = Array.from({ length: 6 }, () =>
      Array.from({ length: 40 }, () => {
        const chance = dice();
        if (chance < 0.1) return 'stale';
        return chance < 0.4 ? '_' : String(Math.floor(dice() * 20));
      }),
    );
    const source = memorySeries(
      notes.map((values, index) => ({
        labels: { __name__: 'a', x: `${index}` },
        samples: everyMs(
          stepMs,
          values.map((value) => (value === 'stale' ? 'ended' : value === '_' ? undefined : +value)),
        ),
      })),
    );
    const expressions = [];
    for (const expr of endingQueries) {
      for (let atMs = 0; atMs < 60 * stepMs; atMs += stepMs / 2) {
        const samples = await evaluateInstant(expr, atMs, source);
        expressions.push({
          expr,
          eval_time: `${atMs}ms`,
          exp_samples: samples.map(({ labels: { __name__: name = '', ...others }, value }) => ({
            labels: `${name}{${Object.entries(others).map(([label, text]) => `${label}="${text}"`)}}`,
            value,
          })),
        });
      }
    }
    const file = {
      tests: [
        {
          interval: '30s',
          input_series: notes.map((values, index) => ({
            series: `a{x="${index}"}`,
            values: values.join(' '),
          })),
          promql_expr_test: expressions,
        },
      ],
    };
    const said = promtoolTest(file);
    expect(said).toContain('SUCCESS');
    report(`${expressions.length} answers about series that end`);
  },
);

/** Within the samples and a little beyond; often on a scrape exactly. */
function timeS(dice: () => number): number {
  const steps = Math.floor(dice() * (samplesForMs / 15_000 + 40)) - 10;
  const shiftMs = dice() < 0.5 ? 0 : Math.floor(dice() * 60) * 250;
  return (samplesFromMs + steps * 15_000 + shiftMs) / 1_000;
}
