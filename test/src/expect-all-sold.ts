// The end of every chaos test: whoever was told yes has her meal, once, and the books are right.

import { publicApi } from '@rushlight/contracts';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { Shop } from './platform.ts';
import { judge, type Shoppers } from './shoppers.ts';

/** Ends the shopping, waits until every order has an end, and judges. Returns how many were sold. */
export async function expectAllSold(
  shop: Shop,
  shoppers: Shoppers,
  about: string,
): Promise<number> {
  await shoppers.stop();
  const { wrong, judged } = await judge(shop, shoppers);
  expect(wrong.slice(0, 10), about).toEqual([]);
  expect(judged).toBeGreaterThan(0);
  await shop.audit();
  const letters = await shop.api.call(publicApi.listDeadLetters, {}, await shop.admin());
  expect(letters.body, about).toEqual([]);
  return judged;
}

/** Waits until every part says that it is well. */
export async function expectAllUp(shop: Shop): Promise<void> {
  await eventually(
    'every part is up',
    async () => {
      const { body } = await shop.api.call(publicApi.listServices, {}, await shop.admin());
      return body.every(({ state }) => state === 'up');
    },
    { deadlineMs: 60_000, everyMs: 200 },
  );
}
