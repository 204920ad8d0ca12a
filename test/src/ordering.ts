// How students order, shared by the tests.

import { setTimeout as sleep } from 'node:timers/promises';
import { publicApi } from '@rushlight/contracts';
import { newKey } from './examples.ts';
import { type Answer, jsonOf, RefusedError } from './http.ts';
import type { Student, Visitor } from './platform.ts';

export type Line = { itemId: string; quantity: number };

/** What became known a moment ago may be unknown to the next service for another moment. */
const unknownMsMax = 15_000;
const unknownPauseMs = 50;

/** One try to order, whatever comes of it; a new item is given the time to become known. */
export async function place(
  shop: Pick<Visitor, 'api'>,
  token: string,
  lines: readonly Line[],
  key = newKey(),
): Promise<Answer> {
  const endMs = performance.now() + unknownMsMax;
  for (;;) {
    const answer = await shop.api.try(
      publicApi.placeOrder,
      { headers: { 'idempotency-key': key }, body: { lines } },
      token,
    );
    if (answer.status !== 404 || performance.now() > endMs) return answer;
    await sleep(unknownPauseMs);
  }
}

/** An order that is accepted; its id. */
export async function placed(
  shop: Pick<Visitor, 'api'>,
  student: Student,
  lines: readonly Line[],
): Promise<string> {
  const answer = await place(shop, student.token, lines);
  if (answer.status !== 201 && answer.status !== 202) throw new RefusedError('an order', answer);
  return jsonOf<{ orderId: string }>(answer).orderId;
}

export async function balanceOf(shop: Pick<Visitor, 'api'>, token: string): Promise<number> {
  return (await shop.api.call(publicApi.wallet, {}, token)).body.balanceCents;
}
