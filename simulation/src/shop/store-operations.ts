// Which operations of each store write and which only read. What is missing here does not exist in
// the simulation, and whoever calls it finds out at once.

import { publicApi } from '@rushlight/contracts';

const { menu, getItem, editItem } = publicApi;
/** Those routes of inventory that the students and the staff of the simulation use. */
export const inventoryRoutes = { menu, getItem, editItem };

export const orderOperations = {
  writes: [
    ...(['acceptBatch', 'decideBatch', 'applyMessages', 'cancel', 'saveItems'] as const),
    ...(['sweepPending', 'sweepDeadlines'] as const),
  ],
  reads: ['findByKeys', 'find', 'items'],
} as const;

export const inventoryOperations = {
  writes: ['reserveBatch', 'reserveQueued', 'commitPaid', 'releaseEnded', 'editItem'],
  reads: ['items', 'item', 'audit'],
} as const;

export const paymentOperations = {
  writes: [
    ...(['beginCharges', 'beginRefunds', 'beginOpenings', 'beginTopUp', 'claim'] as const),
    ...(['postpone', 'finishCharges', 'finishRefunds', 'finishOpenings', 'finishTopUp'] as const),
  ],
  reads: ['toCharge', 'toRefund', 'wallet', 'wallets', 'busy', 'sums'],
} as const;

export const kitchenOperations = {
  writes: ['takeIn', 'startDue', 'finishDue', 'collectDue', 'press'],
  reads: ['agenda', 'display', 'placed', 'cookingUntilMs'],
} as const;

export const streamOperations = {
  writes: ['take', 'tellMenu', 'sendMessages'],
  reads: ['read', 'bounds', 'ownerOf'],
} as const;
