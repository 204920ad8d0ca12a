// The rush, three times, on one platform after the other: clean, with kills, with parts that stand
// still. Whatever breaks, the auditor finds nothing; and it does find what is put into its evidence.

import { check, type Evidence } from '@rushlight/auditor';
import { type PlannedFault, type RushResult, runRush } from '@rushlight/lab';
import { expect, test } from 'vitest';
import { newSeed, report } from '../src/report.ts';

const size = { meals: 60, arrivals: 300, seconds: 6, items: 3 };
const rushMsMax = 240_000;
const admin = { studentId: 'admin', password: 'adminpassword' };
const badCounts = {
  ...{ lost: 0, unsettled: 0, duplicated: 0, oversold: 0 },
  ...{ chargedTwice: 0, chargedUnsold: 0, refusedNeedlessly: 0, unexpected: 0 },
};
let clean: RushResult | undefined;

async function rush(faults: readonly PlannedFault[]): Promise<RushResult> {
  const seed = newSeed('rush');
  const watcher = { say: report, progress: () => undefined };
  const result = await runRush({ ...size, seed, faults, admin }, watcher);
  const { certificate, deadLetters } = result;
  expect(certificate.violations.slice(0, 10), `seed ${seed}`).toEqual([]);
  expect(certificate).toMatchObject({ ok: true, notChecked: [], ...badCounts });
  expect(certificate.sold + certificate.stockLeft).toBe(size.meals);
  expect(deadLetters).toBe(0);
  return result;
}

const kill = (target: string, atS: number): PlannedFault => ({
  ...{ fault: 'kill', target, atS, durationS: 0 },
});

test(
  'a crowd of 300 for 60 meals: what is not sold was given back too late to be sold',
  async () => {
    clean = await rush([]);
    const cancels = clean.history.filter(
      (entry) => entry.type === 'invoke' && entry.op === 'cancel',
    );
    expect(clean.certificate.stockLeft).toBeLessThanOrEqual(cancels.length);
  },
  rushMsMax,
);

test(
  'orders, inventory and Postgres are killed in the middle of it',
  async () => {
    await rush([kill('orders', 1), kill('inventory', 2.5), kill('postgres', 4)]);
  },
  rushMsMax,
);

test(
  'payments stands still, gateway and notifications are killed',
  async () => {
    const stop: PlannedFault = { fault: 'stop', target: 'payments', atS: 1, durationS: 2 };
    await rush([stop, kill('gateway', 2), kill('notifications', 4)]);
  },
  rushMsMax,
);

const sold = ({ orders }: Evidence): string =>
  orders.find(({ status }) => status !== 'rejected' && status !== 'cancelled')?.orderId ?? '';

test.each<[string, (evidence: Evidence) => Evidence, count: keyof typeof badCounts]>([
  [
    'an order that is gone',
    (evidence) => ({
      ...evidence,
      orders: evidence.orders.filter(({ orderId }) => orderId !== sold(evidence)),
    }),
    'lost',
  ],
  [
    'a charge that is made twice',
    (evidence) => {
      const { provider = [] } = evidence;
      const again = provider.filter(
        ({ orderId, kind }) => orderId === sold(evidence) && kind === 'capture',
      );
      return { ...evidence, provider: [...provider, ...again] };
    },
    'chargedTwice',
  ],
  [
    'a meal more than there was',
    (evidence) => ({
      ...evidence,
      items: evidence.items.map((item, nth) => ({
        ...item,
        sold: item.sold + (nth === 0 ? 1 : 0),
      })),
    }),
    'oversold',
  ],
])('canary: %s is found in the same record', (_, tamper, count) => {
  if (clean === undefined) throw new Error('The clean rush gave no record.');
  const { history, evidence, checkOptions } = clean;
  const verdict = check(history, tamper(evidence), checkOptions);
  expect(verdict.ok).toBe(false);
  expect(verdict.counts[count]).toBeGreaterThan(0);
});
