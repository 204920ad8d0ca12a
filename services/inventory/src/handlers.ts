// The HTTP side of inventory: thin, the decisions are elsewhere.

import { type Environment, type Handlers, type Metrics, tellResult } from '@rushlight/chassis';
import { ApiError, type Item, type inventoryApi, type publicApi } from '@rushlight/contracts';
import type { EditOutcome } from './edit-item.ts';
import { searchMenu } from './menu.ts';
import type { ReserveDesk } from './reserve-desk.ts';
import { available, type Item as StockItem } from './stock.ts';
import type { InventoryStore } from './store.ts';

export const itemsMax = 1_000;

type PublicRoutes = Pick<
  typeof publicApi,
  'menu' | 'listItems' | 'getItem' | 'addItem' | 'editItem' | 'removeItem'
>;

type Operation = 'menu' | 'list' | 'get' | 'add' | 'edit' | 'remove';

export function publicHandlers(
  store: InventoryStore,
  env: Pick<Environment, 'newId'>,
  metrics: Pick<Metrics, 'count'>,
): Handlers<PublicRoutes> {
  const counted = <T>(operation: Operation, work: () => Promise<T>): Promise<T> =>
    tellResult(work, (result) => metrics.count('product_operations_total', { operation, result }));
  return {
    menu: ({ query }) =>
      counted('menu', async () => ({
        status: 200 as const,
        body: searchMenu(await store.items(), query).map((item) => {
          const { itemId, name, category, priceCents } = item;
          return { itemId, name, category, priceCents, available: available(item) };
        }),
      })),
    listItems: () =>
      counted('list', async () => ({
        status: 200 as const,
        body: searchMenu(await store.items(), {}).map(itemView),
      })),
    getItem: ({ params: { itemId } }) =>
      counted('get', async () => {
        const item = await store.item(itemId);
        if (!item || item.removed) throw new ApiError('unknown_item', { itemId });
        return { status: 200 as const, body: itemView(item) };
      }),
    addItem: ({ body }) =>
      counted('add', async () => {
        const onMenu = (await store.items()).filter((item) => !item.removed).length;
        if (onMenu >= itemsMax) {
          throw new ApiError('bad_request', { why: `the menu is full: ${itemsMax} items` });
        }
        const outcome = await store.addItem(`add ${env.newId()}`, body);
        return { status: 201 as const, body: itemView(edited(body.itemId, outcome)) };
      }),
    editItem: ({ params: { itemId }, body }) =>
      counted('edit', async () => {
        const outcome = await store.editItem(`edit ${env.newId()}`, itemId, body);
        return { status: 200 as const, body: itemView(edited(itemId, outcome, body.version)) };
      }),
    removeItem: ({ params: { itemId } }) =>
      counted('remove', async () => {
        edited(itemId, await store.removeItem(`remove ${env.newId()}`, itemId));
        return { status: 204 as const, body: undefined };
      }),
  };
}

export function internalHandlers(
  store: InventoryStore,
  desk: ReserveDesk,
): Handlers<typeof inventoryApi> {
  return {
    reserve: async ({ body }, context) => ({
      status: 200,
      body: { answers: await desk.reserve(body.orders, context.remainingMs) },
    }),
    stock: async () => {
      const items = (await store.items()).map((item) => ({
        ...itemView(item),
        stockVersion: item.stockVersion,
        removed: item.removed,
      }));
      return { status: 200, body: { items } };
    },
    auditStock: async ({ query: { after, limit } }) => {
      const { items, holds, violations, next } = await store.audit({ after, limit });
      const sums = items.map((item) => {
        const { itemId, initial, added, sold, reserved, onHand } = item;
        return { itemId, initial, added, sold, reserved, onHand, available: available(item) };
      });
      const page = holds.map((hold) => ({ ...hold, lines: [...hold.lines] }));
      const body = { items: sums, holds: page, violations, ...(next ? { next } : {}) };
      return { status: 200, body };
    },
  };
}

function itemView(item: StockItem): Item {
  const { itemId, name, category, priceCents, version, onHand, reserved } = item;
  return {
    itemId,
    name,
    category,
    priceCents,
    version,
    available: available(item),
    onHand,
    reserved,
  };
}

/** The item as it is after an edit. @throws ApiError for an edit that was refused */
function edited(itemId: string, outcome: EditOutcome, sent = 0): StockItem {
  switch (outcome.kind) {
    case 'done':
      return outcome.item;
    case 'taken':
      throw new ApiError('taken', { id: itemId });
    case 'unknown':
      throw new ApiError('unknown_item', { itemId });
    case 'stale':
      throw new ApiError('stale_version', { itemId, current: outcome.current, sent });
    case 'short':
      throw new ApiError('stock_short', {
        itemId,
        available: outcome.available,
        wanted: outcome.wanted,
      });
    case 'too_much':
      throw new ApiError('bad_request', { why: `no more than 1,000,000,000 of ${itemId}` });
  }
}
