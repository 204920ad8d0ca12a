// A good run, and ways to spoil it.

import type { BadCounts, Entry, InvariantId } from '../src/index.ts';
import { type Run, Shop } from './shop-model.ts';

export const soup = (quantity: number) => [{ itemId: 'soup', quantity }];

export type Case = {
  breaks: InvariantId;
  counts: keyof BadCounts;
  says: string | RegExp;
  run: () => Run;
};

/** One order, or whatever the shop is asked for, and then what went wrong. */
export function spoilt(spoil: (run: Run) => void, ask?: (shop: Shop) => void): () => Run {
  return () => {
    const shop = new Shop({ soup: 5, rice: 5 });
    if (ask) ask(shop);
    else shop.place('ada', 'k1', soup(2));
    const run = shop.close();
    spoil(run);
    return run;
  };
}

export function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}

export function entryOf<T extends Entry['type']>({ history }: Run, type: T, at = 0) {
  const found = history.filter((entry) => entry.type === type)[at];
  if (!found) throw new Error(`no entry of type ${type}`);
  return found as Extract<Entry, { type: T }>;
}

/** The same key asked for before and after its order ended. */
export const twice = (shop: Shop): void => {
  shop.place('ada', 'k1', soup(2));
  shop.settle();
  shop.place('ada', 'k1', soup(2));
};

/** Turns the last answer into a refusal. */
export function refuseLast({ history }: Run): void {
  const at = history.findLastIndex(({ type }) => type === 'ok');
  const { call, proc, t } = history[at] as Extract<Entry, { type: 'ok' }>;
  history[at] = { type: 'fail', op: 'place', status: 422, code: 'sold_out', call, proc, t };
}
