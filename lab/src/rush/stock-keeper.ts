// Somebody of the shop: reads the stock now and then, and brings the trays when they are due.

import { setTimeout as sleep } from 'node:timers/promises';
import { publicApi } from '@rushlight/contracts';
import { onSchedule } from '../load/loops.ts';
import { type Api, ApiRefusal } from './api.ts';
import type { Orders } from './crowd-messages.ts';
import type { Tray } from './crowd-plan.ts';
import type { Witness } from './witness.ts';

type Keeping = {
  witness: Witness;
  api: Api;
  orders: Pick<Orders, 'adminToken' | 'itemIds'>;
  trays: readonly Tray[];
};

const readEveryMs = 500;
const bringMsMax = 120_000;

export function watchStock(keeping: Keeping): { stop(): Promise<void> } {
  const { witness, api, orders, trays } = keeping;
  api.useToken(orders.adminToken);
  const over = new AbortController();
  const itemIds = new Set(orders.itemIds);
  const reading = (async () => {
    while (!over.signal.aborted) {
      await witness.stock('stock reader', orders.adminToken, itemIds);
      await sleep(readEveryMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  /** Trays of one item come one after the other: each is an edit of its own version. */
  const brought = new Map<string, Promise<void>>();
  const bringing = onSchedule(
    trays.map(({ atMs }) => atMs),
    (nth) => {
      const tray = trays[nth];
      const itemId = tray && orders.itemIds[tray.item];
      if (!tray || itemId === undefined) return;
      const before = brought.get(itemId) ?? Promise.resolve();
      const work = before.then(() => bring(keeping, nth, itemId, tray.quantity));
      work.catch(() => undefined); // `stop` hears of it.
      brought.set(itemId, work);
    },
  );
  return {
    stop: async () => {
      await bringing;
      await Promise.all(brought.values());
      over.abort();
      await reading;
      api.close();
    },
  };
}

/**
 * Adds to the stock, once. The version makes it so: of two edits of one version one is refused, and
 * nobody else edits items of ours. So a version that has moved on says that it is done.
 */
async function bring(
  { witness, api }: Keeping,
  nth: number,
  itemId: string,
  addStock: number,
): Promise<void> {
  const params = { itemId };
  const { version } = (await api.call(publicApi.getItem, { params }, bringMsMax)).body;
  const end = witness.adding(`tray ${nth}`, itemId, addStock);
  try {
    await api.call(publicApi.editItem, { params, body: { version, addStock } }, bringMsMax);
    end(true);
  } catch (error) {
    const isDone = error instanceof ApiRefusal && error.status === 409;
    end(isDone);
  }
}
