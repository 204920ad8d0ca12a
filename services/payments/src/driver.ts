// Carries tasks to the card provider, and what it says back into our books.
//
// D1. A task is safe to carry out twice, also by two replicas at once: the provider decides an id
//     once, and outcomes are written only over the state that waits for them.
// D2. No answer means unknown, never failed: the task stays, and is due again after a pause that
//     grows. Nothing else decides that a payment failed.

import { type Environment, type Log, type Metrics, UnavailableError } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import { orderIdOf, paymentIdOf } from './payment.ts';
import type { CardProvider, ChargeAnswer, Opening } from './provider/provider.ts';
import type { ChargeRequest, Lease, Outcome, PaymentStore, Taken, TopUp, Work } from './store.ts';

export type DriverOptions = {
  store: PaymentStore;
  provider: CardProvider;
  env: Environment;
  log: Log;
  metrics: Pick<Metrics, 'count'>;
};

/** How long the provider may take, and then how long a task belongs to the one who began it. */
const answerMsMax = 2_000;
const batchAnswerMsMax = 5_000;
const leaseMs = 3_000;
const retryMsMin = 250;
const retryMsMax = 5_000;
const claimMax = 6;
const roundsMax = 1_000;

type Ended = Message<'order.rejected' | 'order.cancelled'>;

export class Driver {
  readonly #options: DriverOptions;
  /** Tasks that this process works on now: under load that may take longer than a lease. */
  readonly #underWay = new Set<string>();

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  /** A new task of ours; until its lease ends nobody else takes it. */
  lease(): Lease {
    const nowMs = this.#options.env.nowMs();
    return { workId: this.#options.env.newId(), nowMs, untilMs: nowMs + leaseMs };
  }

  /** Resolves when the effect of all is durable; then their tasks may still be under way. */
  async takeMessages(messages: readonly Message[]): Promise<void> {
    const { store, log } = this.#options;
    const taken = sorted(messages);
    const begun = [
      taken.openings.length > 0 && (await store.beginOpenings(taken.openings, this.lease())),
      taken.charges.length > 0 && (await store.beginCharges(taken.charges, this.lease())),
      taken.ended.length > 0 && (await store.beginRefunds(taken.ended, this.lease())),
    ];
    for (const work of begun) {
      if (!work) continue;
      // The messages have done their part: whatever happens now, the task is written down.
      await this.carryOut(work, requestsOf(work, taken.charges)).catch((error: unknown) => {
        log.warn({ task: work.task.kind, error }, 'a task was begun and will be carried on');
      });
    }
  }

  /**
   * Carries out one task. True when it is done; false when some of it must wait and is due again
   * later, or when this process is at it already.
   *
   * @param requests what is to be charged, where the caller has just begun it
   * @throws UnavailableError when the provider or the store did not answer: due again later
   */
  async carryOut(work: Work, requests?: readonly ChargeRequest[]): Promise<boolean> {
    if (this.#underWay.has(work.workId)) return false;
    this.#underWay.add(work.workId);
    try {
      return await this.#carryOut(work, requests);
    } catch (error) {
      await this.#postpone(work);
      throw error;
    } finally {
      this.#underWay.delete(work.workId);
    }
  }

  /** Carries out every task that is due now; failures are logged, and due again later. */
  async resume(): Promise<void> {
    const { store, env, log } = this.#options;
    for (let round = 0; round < roundsMax; round++) {
      const nowMs = env.nowMs();
      const claimed = await store.claim(nowMs, nowMs + leaseMs, claimMax);
      const carried = claimed.map((work) =>
        this.carryOut(work).catch((error: unknown) => {
          const { attempts, task } = work;
          log.warn({ task: task.kind, attempts, error }, 'a task will be tried again');
          return false;
        }),
      );
      const done = await Promise.all(carried);
      // Where nothing gets done the next ones fare no better now.
      if (claimed.length < claimMax || !done.includes(true)) return;
    }
  }

  async #carryOut(work: Work, requests: readonly ChargeRequest[] | undefined): Promise<boolean> {
    const { store, provider, env } = this.#options;
    const { task } = work;
    switch (task.kind) {
      case 'charge':
        return this.#charge(work, requests ?? (await store.toCharge(task.orderIds)));
      case 'refund':
        return this.#refund(work, task.orderIds);
      case 'open': {
        const opened = await this.#ask(
          () => provider.openAccounts(task.openings),
          batchAnswerMsMax,
        );
        await store.finishOpenings(work, opened, env.nowMs());
        return true;
      }
      case 'fund': {
        const { studentIds, balanceCents } = task;
        const order = { key: work.workId, studentIds, balanceCents };
        const changes = await this.#ask(() => provider.setBalances(order), batchAnswerMsMax);
        await store.finishFund(work, changes, env.nowMs());
        return true;
      }
      case 'top_up':
        await this.topUp(work, task);
        return true;
    }
  }

  /** The balance after it, or undefined when the provider does not know the student. */
  async topUp(work: Work, { topUpId, studentId, amountCents }: TopUp): Promise<number | undefined> {
    const { store, provider, env } = this.#options;
    const topUp = { topUpId, studentId, amountCents };
    const answer = await this.#ask(() => provider.topUp({ key: topUpId, studentId, amountCents }));
    const balanceCents = answer.outcome === 'done' ? answer.balanceCents : undefined;
    await store.finishTopUp(work, topUp, balanceCents, env.nowMs());
    return balanceCents;
  }

  async #charge(work: Work, requests: readonly ChargeRequest[]): Promise<boolean> {
    const { store, provider, env, metrics } = this.#options;
    const charges = requests.map(({ orderId, ...rest }) => ({
      paymentId: paymentIdOf(orderId),
      ...rest,
    }));
    const answers = charges.length > 0 ? await this.#ask(() => provider.charge(charges)) : [];
    const outcomes = answers.flatMap(outcomeOf);
    const done = outcomes.length === answers.length;
    const decided = await store.finishCharges(work, outcomes, done, env.nowMs());
    for (const [outcome, count] of countBy(decided.map((event) => event.outcome))) {
      metrics.count('payments_total', { outcome }, count);
    }
    this.#countCaptured(requests, decided);
    if (!done) await this.#postpone(work);
    return done;
  }

  #countCaptured(
    requests: readonly ChargeRequest[],
    decided: readonly { orderId: string; outcome: string }[],
  ): void {
    const captured = new Set(
      decided.flatMap(({ orderId, outcome }) => (outcome === 'captured' ? [orderId] : [])),
    );
    const cents = centsOf(requests.filter(({ orderId }) => captured.has(orderId)));
    this.#options.metrics.count('payments_cents_total', { kind: 'captured' }, cents);
  }

  async #refund(work: Work, orderIds: readonly string[]): Promise<boolean> {
    const { store, provider, env, metrics } = this.#options;
    const targets = await store.toRefund(orderIds);
    const refunds = targets.map(({ orderId, studentId }) => ({
      paymentId: paymentIdOf(orderId),
      studentId,
    }));
    const answers = refunds.length > 0 ? await this.#ask(() => provider.refund(refunds)) : [];
    const outcomes = answers.map(({ paymentId, outcome }) => ({
      orderId: orderIdOf(paymentId),
      outcome,
    }));
    const finished = await store.finishRefunds(work, outcomes, env.nowMs());
    const refunded = finished.filter(({ outcome }) => outcome === 'refunded');
    const late = refunded.filter(({ capturedUnknown }) => capturedUnknown);
    metrics.count('payments_cents_total', { kind: 'captured' }, centsOf(late));
    metrics.count('payments_cents_total', { kind: 'refunded' }, centsOf(refunded));
    for (const [outcome, count] of countBy(finished.map((payment) => payment.outcome))) {
      metrics.count('payments_total', { outcome }, count);
    }
    return true;
  }

  async #postpone(work: Work): Promise<void> {
    const { store, env, log, metrics } = this.#options;
    metrics.count('payment_tasks_postponed_total', { task: work.task.kind });
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(work.attempts - 1, 10));
    const dueAtMs = env.nowMs() + Math.round(waitMs * (0.5 + env.random() / 2));
    // When this fails too, the task is due when its lease ends.
    await store.postpone(work.workId, dueAtMs).catch((error: unknown) => {
      log.warn({ workId: work.workId, error }, 'a task could not be given back');
    });
  }

  /** Waits for the provider, but not for ever. */
  async #ask<T>(call: () => Promise<T>, waitMsMax = answerMsMax): Promise<T> {
    const late = Promise.withResolvers<never>();
    const giveUp = (): void =>
      late.reject(new UnavailableError('card provider', `No answer in ${waitMsMax} ms.`));
    const cancel = this.#options.env.after(waitMsMax, giveUp);
    try {
      return await Promise.race([call(), late.promise]);
    } finally {
      cancel();
    }
  }
}

type TakenMessages = {
  openings: Taken<Opening>[];
  charges: Taken<ChargeRequest>[];
  ended: Taken<string>[];
};

/** By what is to be done. @throws Error for a message that is not bound to the queue */
function sorted(messages: readonly Message[]): TakenMessages {
  const taken: TakenMessages = { openings: [], charges: [], ended: [] };
  for (const message of messages) {
    const { id: messageId } = message;
    switch (message.topic) {
      case 'user.registered':
        taken.openings.push({ messageId, things: message.events });
        break;
      case 'order.stock_verified': {
        const things = message.events.map(({ orderId, studentId, totalCents }) => ({
          orderId,
          studentId,
          amountCents: totalCents,
        }));
        taken.charges.push({ messageId, things });
        break;
      }
      case 'order.rejected':
      case 'order.cancelled':
        taken.ended.push({ messageId, things: toRefund(message as Ended) });
        break;
      default:
        throw new Error(`payments does not take ${message.topic}`);
    }
  }
  return taken;
}

/** What the task of these messages charges; an order that ends meanwhile is given back (P3). */
function requestsOf(
  { task }: Work,
  charges: readonly Taken<ChargeRequest>[],
): ChargeRequest[] | undefined {
  if (task.kind !== 'charge') return undefined;
  const requests = new Map(
    charges.flatMap(({ things }) => things).map((request) => [request.orderId, request]),
  );
  return task.orderIds.flatMap((orderId) => requests.get(orderId) ?? []);
}

function toRefund(message: Ended): string[] {
  const { events } = message;
  return events.filter((event) => event.refund).map((event) => event.orderId);
}

function outcomeOf({ paymentId, outcome }: ChargeAnswer): Outcome[] {
  const orderId = orderIdOf(paymentId);
  switch (outcome) {
    case 'unknown_account':
      return [];
    case 'captured':
      return [{ orderId, outcome }];
    case 'insufficient_funds':
      return [{ orderId, outcome: 'declined', reason: 'insufficient_funds' }];
    case 'declined':
      return [{ orderId, outcome: 'declined', reason: 'payment_declined' }];
  }
}

function centsOf(payments: readonly { amountCents: number }[]): number {
  return payments.reduce((sum, { amountCents }) => sum + amountCents, 0);
}

function countBy<Name extends string>(names: readonly Name[]): Map<Name, number> {
  const counts = new Map<Name, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
