// Both query languages over the store itself.

import { expect, test } from 'vitest';
import { createQueryApi } from '../src/promql/query-api.ts';
import {
  logRecord,
  noonMs,
  noonUs,
  openStore,
  sample,
  temporaryFolder,
} from './store-under-test.ts';

const noonS = noonMs / 1_000;

test('samples in the store answer PromQL, and lines LogQL', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  for (const [index, value] of [0, 30, 60, 5, 35].entries()) {
    const atMs = noonMs - 60_000 + index * 15_000;
    for (const [service, factor] of [
      ['orders', 1],
      ['kitchen', 2],
    ] as const) {
      const labels = { service };
      store.intake.samples([sample({ name: 'served_total', labels, atMs, value: value * factor })]);
    }
  }
  store.intake.logs(
    [20, 40, 60].map((durationMs, index) =>
      logRecord({
        atUs: noonUs - index * 1_000_000,
        level: index === 2 ? 'error' : 'info',
        line: JSON.stringify({ msg: 'served', durationMs }),
      }),
    ),
  );
  await store.flush();

  const { series, logs } = store;
  const { prometheus, loki } = createQueryApi({ series, logs, nowMs: () => noonMs });
  const query = (text: string) => new URLSearchParams({ query: text });

  const rate = 'sum by (service) (increase(served_total{service=~"ord.*|kit.*"}[1m]))';
  expect(await prometheus.query(query(rate))).toMatchObject({
    status: 200,
    body: {
      data: {
        result: [
          { metric: { service: 'kitchen' }, value: [noonS, '190'] },
          { metric: { service: 'orders' }, value: [noonS, '95'] },
        ],
      },
    },
  });
  expect(await prometheus.labelValues('service', new URLSearchParams())).toMatchObject({
    body: { data: ['kitchen', 'orders'] },
  });

  const average = 'avg_over_time({service="orders"} | json | unwrap durationMs [1m])';
  const stream = { service: 'orders', instance: 'orders-1', level: 'info' };
  expect(await loki.query(query(average))).toMatchObject({
    status: 200,
    body: {
      data: {
        result: [
          { metric: { ...stream, level: 'error' }, value: [noonS, '60'] },
          { metric: stream, value: [noonS, '30'] },
        ],
      },
    },
  });
  expect(await loki.queryRange(query('{service="orders", level!="info"} |~ "6.}$"'))).toMatchObject(
    {
      body: { data: { result: [{ stream: { ...stream, level: 'error' } }] } },
    },
  );
  expect(await loki.labelValues('level', new URLSearchParams())).toMatchObject({
    body: { data: ['error', 'info'] },
  });
});
