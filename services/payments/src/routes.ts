// The HTTP side of payments: wallets for students, top-ups for admins, funding and the audit for
// our own services.

import { type Environment, type Handlers, userOf } from '@rushlight/chassis';
import { ApiError, paymentsApi, publicApi } from '@rushlight/contracts';
import type { Driver } from './driver.ts';
import type { CardProvider } from './provider/provider.ts';
import type { Reconciliation } from './reconcile.ts';
import type { PaymentStore } from './store.ts';

export const paymentRoutes = {
  wallet: publicApi.wallet,
  topUp: publicApi.topUp,
  ...paymentsApi,
} as const;

export type RouteOptions = {
  store: PaymentStore;
  provider: CardProvider;
  driver: Driver;
  /** The books compared, a moment ago at most. */
  reconciled: () => Promise<Reconciliation>;
};

export function paymentHandlers(options: RouteOptions): Handlers<typeof paymentRoutes> {
  const { store, provider, driver, reconciled } = options;
  return {
    wallet: async (_, context) => {
      const { balanceCents, entries } = await store.wallet(userOf(context).studentId);
      return {
        status: 200,
        body: {
          balanceCents,
          entries: entries.map(({ atMs, ...entry }) => ({
            at: new Date(atMs).toISOString(),
            ...entry,
          })),
        },
      };
    },
    topUp: async ({ headers, body }, context) => {
      const { studentId, amountCents } = body;
      const key = headers['idempotency-key'];
      const by = userOf(context).studentId;
      const begun = await store.beginTopUp({ by, key, studentId, amountCents }, driver.lease());
      if (begun.kind === 'key_reused') throw new ApiError('key_reused');
      if (begun.kind === 'done') {
        return { status: 200, body: { studentId, balanceCents: begun.balanceCents } };
      }
      const { work, topUpId } = begun;
      const balanceCents = await driver.topUp(work, { topUpId, studentId, amountCents });
      if (balanceCents === undefined) throw new ApiError('unknown_user', { studentId });
      return { status: 200, body: { studentId, balanceCents } };
    },
    fundWallets: async ({ body }) => {
      const studentIds = [...new Set(body.studentIds)];
      await driver.carryOut(await store.beginFund(studentIds, body.balanceCents, driver.lease()));
      return { status: 204, body: undefined };
    },
    auditPayments: async ({ query }) => {
      const { after, limit } = query;
      const payments = await store.page(after, limit);
      // After the page, so that what ended there is in these sums.
      const [{ balanced, violations }, { entries }] = await Promise.all([
        reconciled(),
        provider.sums(),
      ]);
      const last = payments.length === limit ? payments.at(-1)?.orderId : undefined;
      const next = last === undefined ? {} : { next: last };
      const sums = {
        capturedCents: 0 - entries.capture,
        refundedCents: entries.refund,
        ...{ balanced, violations },
      };
      return { status: 200, body: { ...sums, payments, ...next } };
    },
  };
}

/** Shares one run among those who ask while it goes on, and keeps its result for a moment. */
export function shared<T>(
  env: Pick<Environment, 'monotonicMs'>,
  keepMs: number,
  run: () => Promise<T>,
): () => Promise<T> {
  let last: { result: Promise<T>; untilMs: number } | undefined;
  return () => {
    if (last && env.monotonicMs() < last.untilMs) return last.result;
    const result = run();
    const mine = { result, untilMs: Number.POSITIVE_INFINITY };
    last = mine;
    result.then(
      () => {
        mine.untilMs = env.monotonicMs() + keepMs;
      },
      () => {
        if (last === mine) last = undefined;
      },
    );
    return result;
  };
}
