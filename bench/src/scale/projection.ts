// What the model says of machines that nobody measured here.
//
// J1. Clients are elsewhere and cost these machines nothing.
// J2. Of several numbers of replicas the one that brings most is told; of two that bring nearly the
//     same, the smaller.

import type { ShopCosts } from '../scale-model/costs.ts';
import { type Prediction, predict } from '../scale-model/predict.ts';
import type { Cores } from '../scale-model/shop.ts';
import { figure, table } from '../table.ts';

export type Place = { name: string; cores: number | Cores; items: number; hopUs: number };
export type Projection = Place & { replicas: number; prediction: Prediction };

const menu = 19;
/** Across a data centre's network, one way. */
const networkUs = 150;
const onOne = (cores: number): Place => ({
  ...{ name: `one machine of ${cores} cores`, cores, items: menu, hopUs: 0 },
});
const apart = (services: number, postgres: number): Place => ({
  name: `services on ${services} cores, Postgres on ${postgres}`,
  cores: { services, postgres, clients: 1 },
  ...{ items: menu, hopUs: networkUs },
});
export const places: readonly Place[] = [
  ...[2, 4, 8, 16, 32].map(onOne),
  { ...onOne(32), name: 'the same, one hot item', items: 1 },
  ...[apart(16, 8), apart(32, 16), apart(64, 32)],
];

const counts = [1, 2, 4, 8];
const nearly = 1.03;
const clientsEach = 512;

export function project(
  costs: ShopCosts,
  serviceNames: readonly string[],
  seconds: { warmUpS: number; measureS: number },
): Projection[] {
  const free = { ...costs, client: { orderUs: 0, batchUs: 0 } };
  return places.map((place) => {
    const withEach = (replicas: number): Projection => {
      const prediction = predict({
        ...seconds,
        ...{ costs: free, seed: 1, clients: clientsEach * replicas },
        ...{ cores: place.cores, items: place.items, hopUs: place.hopUs },
        replicas: Object.fromEntries(serviceNames.map((name) => [name, replicas])),
      });
      return { ...place, replicas, prediction };
    };
    return counts
      .map(withEach)
      .reduce((best, one) => (one.prediction.perS > best.prediction.perS * nearly ? one : best));
  });
}

export function describeProjections(projections: readonly Projection[]): string {
  return table(
    [
      ...['the model, for', 'of each', 'settled/s', 'cores used', 'of them Postgres'],
      ...['busiest process', 'orders in a batch', 'most held lock'],
    ],
    projections.map(({ name, replicas, prediction }) => [
      name,
      String(replicas),
      figure(prediction.perS),
      percent(prediction.coreShare),
      figure(prediction.postgresCores),
      `${prediction.busiest.process} ${percent(prediction.busiest.coreShare)}`,
      figure(prediction.batchSizeMean),
      `${prediction.lock.name} ${percent(prediction.lock.heldShare)}`,
    ]),
  );
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
