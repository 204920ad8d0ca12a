import { expect, test } from 'vitest';
import { certificate, check, violationsMax } from '../src/index.ts';
import { Shop } from './shop-model.ts';

const latency = { p50: 1, p95: 2, p99: 3, max: 4 };
const run = {
  ...{ seed: 1, meals: 3, arrivals: 2, seconds: 1, settledPerSecond: 2 },
  latencyMs: { accepted: latency, soldOut: latency },
  faults: [{ fault: 'kill', target: 'orders' }],
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
};

test('a certificate has the shape that outside programs rely on', () => {
  const shop = new Shop({ soup: 3 });
  shop.place('ada', 'k1', [{ itemId: 'soup', quantity: 2 }]);
  shop.place('bob', 'k1', [{ itemId: 'soup', quantity: 2 }]);
  const { history, evidence } = shop.close();
  const paper = certificate(check(history, evidence, { drained: true }), run);
  expect(JSON.stringify(paper)).toBe(
    JSON.stringify({
      ...{ ok: true, seed: 1, meals: 3, arrivals: 2, seconds: 1 },
      answers: { '201': 1, '202': 0, '422': 1, '429': 0, '503': 0, other: 0, unanswered: 0 },
      latencyMs: run.latencyMs,
      ...{ sold: 2, stockLeft: 1, queuedThenSold: 0, queuedThenRejected: 0 },
      ...{ lost: 0, unsettled: 0, duplicated: 0, oversold: 0, chargedTwice: 0 },
      ...{ chargedUnsold: 0, refusedNeedlessly: 0, unexpected: 0 },
      ...{ notChecked: [], violations: [], faults: run.faults, settledPerSecond: 2 },
      ...{ startedAt: run.startedAt, endedAt: run.endedAt },
    }),
  );
});

test('of a thousand violations all are counted, and a part is told', () => {
  const shop = new Shop({ soup: 2_000 });
  for (let at = 0; at < 1_000; at++) {
    shop.place('ada', `k${at}`, [{ itemId: 'soup', quantity: 1 }]);
  }
  const { history, evidence } = shop.close();
  evidence.orders = [];
  const paper = certificate(check(history, evidence, { drained: true }), run);
  expect(paper.ok).toBe(false);
  expect(paper.lost).toBeGreaterThanOrEqual(1_000);
  const told = paper.violations.filter(({ invariant }) => invariant === 'I2');
  expect(told).toHaveLength(violationsMax);
});
