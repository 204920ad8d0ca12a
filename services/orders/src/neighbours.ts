// What orders asks of its neighbours. An answer that its contract does not know is no answer.

import { type Client, UnavailableError } from '@rushlight/chassis';
import { inventoryApi, kitchenApi, limits } from '@rushlight/contracts';
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
    reserve: async (orders) => {
      const options = { deadlineMs: limits.reserveDeadlineMs };
      const { body } = await inventory.call(inventoryApi.reserve, { body: { orders } }, options);
      return read('inventory', inventoryApi.reserve.replies[200], body).answers;
    },
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

function read<S extends z.ZodType>(part: string, schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const say = `${part} answered what its contract does not know`;
  throw new UnavailableError(part, say, { cause: parsed.error });
}
