// What things cost. Orders keeps a copy of the menu, fed by events, so that it can take orders while
// inventory is down; an item that is not in it is asked for once.

import type { Environment, Log } from '@rushlight/chassis';
import { ApiError, type OrderLine, type PricedLine } from '@rushlight/contracts';
import type { MenuItem, OrderStore } from './store.ts';

export type PriceList = {
  /** Name and price of those of these items that are on the menu. */
  find(itemIds: readonly string[]): Promise<Prices>;
  /** Reads the whole menu from inventory. */
  fill(): Promise<void>;
};

/** `certain`: an item that is missing here is missing on the menu, too. */
export type Prices = { items: Map<string, MenuItem>; certain: boolean };

/** An item that is not on the menu is not asked for again within this time. Nor is anything after a failure. */
const askAgainAfterMs = 200;
/** Batches come faster than prices change: what was read is good for this long. */
const keptMs = 100;
const absentMax = 1_000;

export function createPriceList(parts: {
  store: OrderStore;
  /** The menu as inventory has it. Throws when it does not answer. */
  fetchMenu: () => Promise<MenuItem[]>;
  env: Environment;
  log: Log;
}): PriceList {
  const { store, fetchMenu, env, log } = parts;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let filling: Promise<void> | undefined;
  /** When each of these was asked for in vain. */
  const absent = new Map<string, number>();
  const kept = new Map<string, MenuItem>();
  let keptFromMs = Number.NEGATIVE_INFINITY;

  const fill = (): Promise<void> => {
    filling ??= fetchMenu()
      .then((items) => store.saveItems(undefined, items))
      .then(() => kept.clear())
      .catch((error) => {
        failedAtMs = env.monotonicMs();
        throw error;
      })
      .finally(() => {
        filling = undefined;
      });
    return filling;
  };
  const read = async (itemIds: readonly string[]): Promise<Map<string, MenuItem>> => {
    if (env.monotonicMs() - keptFromMs >= keptMs) {
      kept.clear();
      keptFromMs = env.monotonicMs();
    }
    const unknown = itemIds.filter((itemId) => !kept.has(itemId));
    const found = new Map(kept);
    if (unknown.length > 0) {
      for (const item of await store.items(unknown)) {
        kept.set(item.itemId, item);
        found.set(item.itemId, item);
      }
    }
    return found;
  };
  const isRecent = (atMs = Number.NEGATIVE_INFINITY): boolean =>
    env.monotonicMs() - atMs < askAgainAfterMs;
  const remember = (itemId: string): void => {
    if (absent.size >= absentMax) absent.clear();
    absent.set(itemId, env.monotonicMs());
  };
  return {
    fill,
    find: async (itemIds) => {
      const found = await read(itemIds);
      const missing = itemIds.filter((itemId) => !found.has(itemId));
      if (missing.every((itemId) => isRecent(absent.get(itemId)))) {
        return { items: found, certain: true };
      }
      if (isRecent(failedAtMs)) return { items: found, certain: false };
      try {
        // What is being read already may be older than the item.
        await filling;
        await fill();
      } catch (error) {
        log.warn({ error }, 'an item is unknown here and inventory cannot be asked');
        return { items: found, certain: false };
      }
      const items = await read(itemIds);
      for (const itemId of missing) if (!items.has(itemId)) remember(itemId);
      return { items, certain: true };
    },
  };
}

export type Priced<P> =
  | { placement: P; lines: PricedLine[] }
  /** An item is not on the menu, or nobody can say now whether it is. */
  | { placement: P; lines: undefined; why: ApiError };

export async function priceLines<P extends { lines: readonly OrderLine[] }>(
  priceList: PriceList,
  placements: readonly P[],
): Promise<Priced<P>[]> {
  const itemIds = new Set(placements.flatMap(({ lines }) => lines.map((line) => line.itemId)));
  const { items, certain } = await priceList.find([...itemIds]);
  return placements.map((placement) => {
    const lines: PricedLine[] = [];
    for (const { itemId, quantity } of placement.lines) {
      const item = items.get(itemId);
      if (!item) return { placement, lines: undefined, why: missing(itemId, certain) };
      lines.push({ itemId, name: item.name, quantity, priceCents: item.priceCents });
    }
    return { placement, lines };
  });
}

function missing(itemId: string, certain: boolean): ApiError {
  return certain
    ? new ApiError('unknown_item', { itemId })
    : new ApiError('busy', { part: 'menu', waitS: 1 });
}
