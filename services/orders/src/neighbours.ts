// What orders asks of its neighbours. An answer that its contract does not know is no answer.
//
// A1. Orders go to the replica of inventory that has most to do with their items: that of the lowest
//     item id. So a hot item is decided in one place, in one transaction after the other, and two
//     replicas rarely wait for each other's rows. Any of them would decide the same.

import { type Client, UnavailableError } from '@rushlight/chassis';
import { inventoryApi, kitchenApi, limits, type OrderLine } from '@rushlight/contracts';
import type { z } from 'zod';
import type { CancelParts } from './cancel-order.ts';
import type { Estimate } from './handlers.ts';
import type { Reserve } from './place-order.ts';
import type { MenuItem } from './store.ts';

const estimateDeadlineMs = 300;
/** A batch of orders waits for the menu when one of its items is unknown here. */
const menuDeadlineMs = 1_000;

export type Neighbours = {
  fetchMenu: () => Promise<MenuItem[]>;
  reserve: Reserve;
  voidTicket: CancelParts['voidTicket'];
  /** Empty when the kitchen does not answer at once. */
  estimates: (orderIds: string[]) => Promise<Estimate[]>;
};

export function createNeighbours(inventory: Client, kitchen: Client): Neighbours {
  return {
    fetchMenu: async () => {
      const options = { deadlineMs: menuDeadlineMs };
      const { body } = await inventory.call(inventoryApi.stock, {}, options);
      return read('inventory', inventoryApi.stock.replies[200], body).items;
    },
    reserve: (orders) => reserveByItem(inventory, orders),
    voidTicket: async (orderId) => {
      const { body } = await kitchen.call(kitchenApi.voidTicket, { body: { orderId } });
      return read('kitchen', kitchenApi.voidTicket.replies[200], body).outcome;
    },
    estimates: async (orderIds) => {
      const options = { deadlineMs: estimateDeadlineMs };
      const call = { body: { orderIds } };
      try {
        const { body } = await kitchen.call(kitchenApi.estimates, call, options);
        return read('kitchen', kitchenApi.estimates.replies[200], body).estimates;
      } catch {
        return [];
      }
    },
  };
}

/**
 * One call to each replica of inventory that some of these orders belong to (A1). Without an answer
 * from some, the answers of the others; they throw when there is none at all.
 */
async function reserveByItem(
  inventory: Client,
  orders: Parameters<Reserve>[0],
): ReturnType<Reserve> {
  const ask = async (lot: Parameters<Reserve>[0]) => {
    const key = lowestItem(lot[0]?.lines ?? []);
    const options = { deadlineMs: limits.reserveDeadlineMs, key };
    const { body } = await inventory.call(inventoryApi.reserve, { body: { orders: lot } }, options);
    return read('inventory', inventoryApi.reserve.replies[200], body).answers;
  };
  if (inventory.replicas === 1) return await ask(orders);
  const lots = Map.groupBy(orders, ({ lines }) => inventory.replicaOf(lowestItem(lines)));
  const asked = await Promise.allSettled([...lots.values()].map(ask));
  const answered = asked.filter((one) => one.status === 'fulfilled');
  if (answered.length === 0) throw asked.find((one) => one.status === 'rejected')?.reason;
  return answered.flatMap(({ value }) => value);
}

function lowestItem(lines: readonly OrderLine[]): string {
  return lines.map(({ itemId }) => itemId).sort()[0] ?? '';
}

function read<S extends z.ZodType>(part: string, schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const say = `${part} answered what its contract does not know`;
  throw new UnavailableError(part, say, { cause: parsed.error });
}
