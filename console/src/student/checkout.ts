// The checkout of this tab: at most one attempt at a time, kept until it has a definite answer.

import { type OrderView, publicApi } from '@rushlight/contracts';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import {
  type Attempt,
  type AttemptStep,
  type AttemptWorld,
  isIndefinite,
  runAttempt,
} from '../api/attempt.ts';
import { CallError } from '../api/call-error.ts';
import { newKey } from '../api/new-key.ts';
import { orderQuery } from '../api/queries.ts';
import { session } from '../api/session.ts';
import { emptyCart } from '../domain/cart.ts';
import { observable } from '../domain/observable.ts';
import { withSeen } from '../live/seen.ts';
import { browserWorld } from '../live/world.ts';
import { cart, keepAttempt, keepCart, keptAttempt } from './kept.ts';

export const checkout = observable<AttemptStep | undefined>(undefined);

let running: { attempt: Attempt; studentId: string; stop: AbortController } | undefined;

const sendMsMax = 12_000;

const world: AttemptWorld = {
  nowMs: browserWorld.nowMs,
  random: browserWorld.random,
  sleep: browserWorld.sleep,
  send: async ({ key, lines }, signal): Promise<OrderView> => {
    const input = { headers: { 'idempotency-key': key }, body: { lines: [...lines] } };
    return (await call(publicApi.placeOrder, input, { signal, timeoutMs: sendMsMax })).body;
  },
};

/** Orders what is in the cart, under a new key. */
export function placeOrder(): void {
  const user = session.get();
  if (!user || running || cart.get().length === 0) return;
  start(user.studentId, { key: newKey(), lines: cart.get() });
}

/** Takes up an attempt that was left without an answer: after a reload, or after "Try again". */
export function resumeCheckout(): void {
  const user = session.get();
  if (!user || running) return;
  const attempt = keptAttempt(user.studentId);
  if (attempt) start(user.studentId, attempt);
}

/** Stops asking. The order may have been accepted; the list of orders will tell. */
export function abandonCheckout(): void {
  const user = session.get();
  running?.stop.abort();
  running = undefined;
  if (user) keepAttempt(user.studentId, undefined);
  checkout.set(undefined);
  void queryClient.invalidateQueries({ queryKey: ['orders'] });
}

/** Forgets the last answer, once it was seen. */
export function dismissCheckout(): void {
  const step = checkout.get();
  if (step?.kind === 'placed' || step?.kind === 'refused') checkout.set(undefined);
}

function start(studentId: string, attempt: Attempt): void {
  const stop = new AbortController();
  running = { attempt, studentId, stop };
  keepAttempt(studentId, attempt);
  const unsubscribe = session.subscribe(() => stop.abort());
  runAttempt(attempt, world, stop.signal, (step) => checkout.set(step))
    .then((step) => finish(studentId, step))
    .catch(() => checkout.set(undefined))
    .finally(() => {
      unsubscribe();
      if (running?.stop === stop) running = undefined;
    });
}

function finish(studentId: string, step: AttemptStep): void {
  if (step.kind === 'given_up') return;
  if (step.kind === 'refused' && keepsKey(step.error)) return;
  keepAttempt(studentId, undefined);
  if (step.kind !== 'placed') {
    void queryClient.invalidateQueries({ queryKey: ['menu'] });
    return;
  }
  keepCart(emptyCart);
  // The stream can be quicker than the answer, and its last word may have been said already.
  queryClient.setQueryData(orderQuery(step.order.orderId).queryKey, withSeen(step.order));
  void queryClient.invalidateQueries({ queryKey: ['orders'] });
  // On the menu page the tracker opens by itself.
  if (location.pathname === '/menu') return;
  toast.success(`Order placed. Your pick-up number is ${step.order.pickupNumber}.`);
}

/** A session that ended in the middle says nothing of the order: ask again after the next login. */
function keepsKey(error: unknown): boolean {
  return isIndefinite(error) || (error instanceof CallError && error.status === 401);
}
