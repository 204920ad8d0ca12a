// What the model says of a shop: orders a second, and what of it is full.

import { type ModelOptions, ModelShop } from './shop.ts';

export type Prediction = {
  perS: number;
  batchSizeMean: number;
  /** Of all cores there are. */
  coreShare: number;
  busiest: { process: string; coreShare: number };
  postgresCores: number;
  /** Part of the time in which the lock that is held most is held. */
  lock: { name: string; heldShare: number };
};

export type PredictOptions = ModelOptions & { warmUpS?: number; measureS?: number };

export function predict(options: PredictOptions): Prediction {
  const { warmUpS = 0.5, measureS = 2, cores } = options;
  const shop = new ModelShop(options);
  let answers = 0;
  shop.open(() => {
    answers++;
  });
  shop.clock.runUntil(warmUpS * 1e6);
  const before = {
    answers,
    placed: { ...shop.placed },
    postgresUs: shop.postgresUs,
    threads: shop.threads.map(({ usedUs }) => usedUs),
    locks: [...shop.locks.values()].map(({ heldUs }) => heldUs),
  };
  shop.clock.runUntil((warmUpS + measureS) * 1e6);
  const us = measureS * 1e6;
  const shares = shop.threads.map(({ name, usedUs }, nth) => ({
    process: name,
    coreShare: (usedUs - (before.threads[nth] ?? 0)) / us,
  }));
  const locks = [...shop.locks].map(([name, { heldUs }], nth) => ({
    name,
    heldShare: (heldUs - (before.locks[nth] ?? 0)) / us,
  }));
  const postgresCores = (shop.postgresUs - before.postgresUs) / us;
  const all = shares.reduce((sum, { coreShare }) => sum + coreShare, postgresCores);
  const coresThere =
    typeof cores === 'number' ? cores : cores.services + cores.postgres + cores.clients;
  const batches = shop.placed.batches - before.placed.batches;
  return {
    perS: (answers - before.answers) / measureS,
    batchSizeMean: (shop.placed.orders - before.placed.orders) / Math.max(1, batches),
    coreShare: all / coresThere,
    busiest: shares.reduce((most, one) => (one.coreShare > most.coreShare ? one : most)),
    postgresCores,
    lock: locks.reduce((most, one) => (one.heldShare > most.heldShare ? one : most)),
  };
}
