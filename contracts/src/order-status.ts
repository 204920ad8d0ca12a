// The statuses of an order, apart from the schemas, so that a browser need not load those.

export const orderStatuses = [
  'pending',
  'queued',
  'stock_verified',
  'paid',
  'in_kitchen',
  'ready',
  'collected',
  'rejected',
  'cancelled',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** How far along a status is: an order only ever moves up. Both ends without a meal are last. */
export const orderRank: Readonly<Record<OrderStatus, number>> = {
  pending: 0,
  queued: 1,
  stock_verified: 2,
  paid: 3,
  in_kitchen: 4,
  ready: 5,
  collected: 6,
  rejected: 7,
  cancelled: 7,
};
