// What each part costs, fitted to measured loads: for each order, and for each batch whatever its size.
//
// F1. A load says one number for each part: microseconds per order at a batch size. Two loads with
//     different batch sizes tell the two costs apart: us = orderUs + batchUs ÷ size.
// F2. No cost is negative. Where the loads say so, batches are told to cost nothing, or orders.
// F3. A batch of a service is a store operation of it, of the gateway a call to orders, of the bus a message.

export type Cost = { orderUs: number; batchUs: number };

export const storeNames = ['orders', 'inventory', 'payments', 'kitchen', 'notifications'] as const;
export type StoreName = (typeof storeNames)[number];

export type ShopCosts = {
  /** The load generator; per order only. */
  client: Cost;
  gateway: Cost;
  /** The processes of the services. */
  services: Record<StoreName, Cost>;
  /** Their databases. */
  databases: Record<StoreName, Cost>;
  bus: Cost;
  /** What else used the machine meanwhile; per order only. */
  others: Cost;
  /** Until what was written is on the disk. */
  commitUs: number;
};

/** One load, as far as it says something of one part. */
export type Point = { us: number; batchSize: number };

export type CostPoints = Omit<
  { [Part in keyof ShopCosts]: readonly Point[] },
  'services' | 'databases' | 'commitUs'
> & {
  services: Record<StoreName, readonly Point[]>;
  databases: Record<StoreName, readonly Point[]>;
  commitUs: number;
};

export function fitCosts(points: CostPoints): ShopCosts {
  const fitAll = (all: Record<StoreName, readonly Point[]>): Record<StoreName, Cost> =>
    Object.fromEntries(storeNames.map((name) => [name, fitCost(all[name])])) as Record<
      StoreName,
      Cost
    >;
  const perOrder = (all: readonly Point[]): Cost =>
    fitCost(all.map(({ us }) => ({ us, batchSize: Number.POSITIVE_INFINITY })));
  return {
    client: perOrder(points.client),
    gateway: fitCost(points.gateway),
    services: fitAll(points.services),
    databases: fitAll(points.databases),
    bus: fitCost(points.bus),
    others: perOrder(points.others),
    commitUs: points.commitUs,
  };
}

/** Least squares of relative errors, neither cost below zero (F1, F2). */
export function fitCost(points: readonly Point[]): Cost {
  const good = points.filter(({ us, batchSize }) => us > 0 && batchSize > 0);
  if (good.length === 0) return { orderUs: 0, batchUs: 0 };
  // Each equation divided by its measured value: 1 = orderUs × a + batchUs × b.
  const rows = good.map(({ us, batchSize }) => ({ a: 1 / us, b: 1 / (us * batchSize) }));
  const sum = (of: (row: { a: number; b: number }) => number): number =>
    rows.reduce((all, row) => all + of(row), 0);
  const [aa, ab, bb, a, b] = [
    sum((row) => row.a * row.a),
    sum((row) => row.a * row.b),
    sum((row) => row.b * row.b),
    sum((row) => row.a),
    sum((row) => row.b),
  ];
  const onlyOrders = { orderUs: a / aa, batchUs: 0 };
  const determinant = aa * bb - ab * ab;
  if (determinant <= 1e-9 * aa * bb) return onlyOrders;
  const orderUs = (a * bb - b * ab) / determinant;
  const batchUs = (b * aa - a * ab) / determinant;
  if (batchUs < 0) return onlyOrders;
  return orderUs < 0 ? { orderUs: 0, batchUs: b / bb } : { orderUs, batchUs };
}

/** What an order costs in a batch of this size. */
export function costAt({ orderUs, batchUs }: Cost, batchSize: number): number {
  return orderUs + batchUs / batchSize;
}
