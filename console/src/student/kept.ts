// What the shop keeps for a student in this tab: the cart, and a checkout without an answer yet.

import type { Attempt } from '../api/attempt.ts';
import { session } from '../api/session.ts';
import { type Cart, emptyCart, readCart } from '../domain/cart.ts';
import { observable } from '../domain/observable.ts';

const cartKey = (studentId: string) => `rushlight.cart.${studentId}`;
const attemptKey = (studentId: string) => `rushlight.attempt.${studentId}`;

export const cart = observable<Cart>(emptyCart);

let owner: string | undefined;

/** Shows the cart of whoever is logged in. Called on every page that has a cart. */
export function loadCart(): void {
  const studentId = session.get()?.studentId;
  if (studentId === owner) return;
  owner = studentId;
  cart.set(studentId ? readCart(sessionStorage.getItem(cartKey(studentId))) : emptyCart);
}

export function keepCart(after: Cart): void {
  cart.set(after);
  if (owner) sessionStorage.setItem(cartKey(owner), JSON.stringify(after));
}

export function keepAttempt(studentId: string, attempt: Attempt | undefined): void {
  if (attempt) sessionStorage.setItem(attemptKey(studentId), JSON.stringify(attempt));
  else sessionStorage.removeItem(attemptKey(studentId));
}

/** The checkout that had no definite answer when the page was left; undefined without one. */
export function keptAttempt(studentId: string): Attempt | undefined {
  try {
    const kept = JSON.parse(
      sessionStorage.getItem(attemptKey(studentId)) ?? 'null',
    ) as Attempt | null;
    if (!kept || typeof kept.key !== 'string') return undefined;
    const lines = readCart(JSON.stringify(kept.lines));
    return lines.length > 0 ? { key: kept.key, lines } : undefined;
  } catch {
    return undefined;
  }
}
