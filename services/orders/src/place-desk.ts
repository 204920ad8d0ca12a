// The desk where the gateways' batches meet. While some are being placed, those that come gather for
// the next: under load a commit, and the call to inventory, is shared by more orders.
//
// D1. Batches are placed in the order of their arrival, and stay whole.
// D2. What waits here was not begun: when it waits for too long, or too much waits, the answer is
//     `busy`.

import { createBatcher, type Environment, type Metrics } from '@rushlight/chassis';
import { type Answer, limits } from '@rushlight/contracts';
import type { Placement } from './place-order.ts';

export type PlaceDesk = (placements: readonly Placement[]) => Promise<Answer[]>;

/** Enough to keep both inventory and the database at work; each more makes all batches smaller. */
const concurrencyMax = 2;
const batchesMax = 8;
const queueMax = 64;
/** Longer than a batch waits for inventory: while that is silent orders are queued, not refused. */
const ageMsMax = limits.reserveDeadlineMs + 500;

/** @param place answers each placement, in their order; it throws when it does not know */
export function createPlaceDesk(
  place: PlaceDesk,
  { env, metrics }: { env: Environment; metrics: Pick<Metrics, 'observe'> },
): PlaceDesk {
  const batcher = createBatcher<readonly Placement[], Answer[]>({
    ...{ name: 'place', env, sizeMax: batchesMax, waitMsMax: 0, queueMax, ageMsMax },
    concurrencyMax,
    run: async (batches) => (await Promise.all(groups(batches).map(placeGroup))).flat(),
  });
  const placeGroup = async (batches: readonly (readonly Placement[])[]) => {
    const placements = batches.flat();
    metrics.observe('batch_size', { batcher: 'place' }, placements.length);
    try {
      const answers = await place(placements);
      return batches.map((batch) => answers.splice(0, batch.length));
    } catch (error) {
      return batches.map(() => error as Error);
    }
  };
  return (placements) => batcher.add(placements);
}

/** Neighbours together, as long as they are no more orders than one call to inventory takes. */
function groups(batches: readonly (readonly Placement[])[]): (readonly Placement[])[][] {
  const made: (readonly Placement[])[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const batch of batches) {
    size += batch.length;
    if (size > limits.orderBatchMax) {
      made.push([]);
      size = batch.length;
    }
    made.at(-1)?.push(batch);
  }
  return made;
}
