// How changes of stock are counted: what a transaction wrote, after its commit. Whatever comes again
// changes nothing, and is not counted.

import type { Metrics } from '@rushlight/chassis';
import type { Change, HoldStatus } from './stock.ts';

export type OnChange = (change: Change) => void;

export function countChanges(metrics: Pick<Metrics, 'count'>): OnChange {
  const update = (operation: 'reserve' | 'commit' | 'release' | 'edit', by: number): void => {
    if (by > 0) metrics.count('stock_updates_total', { operation, result: 'ok' }, by);
  };
  return ({ newHolds, movedHolds, entries }) => {
    const moved = (to: HoldStatus): number =>
      movedHolds.filter(({ status }) => status === to).length;
    update('reserve', newHolds.filter(({ status }) => status === 'reserved').length);
    update('commit', moved('committed'));
    update('release', moved('released'));
    const edits = entries.filter(({ kind }) => kind === 'initial' || kind === 'added');
    update('edit', edits.length);
    for (const { itemId: item, kind, quantity } of entries) {
      if (kind === 'committed') metrics.count('portions_sold_total', { item }, quantity);
    }
  };
}

/** Says that stock of so many orders could not be written, and passes on why. */
export async function tellFailure<T>(
  metrics: Pick<Metrics, 'count'>,
  operation: 'reserve' | 'commit' | 'release',
  orders: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    metrics.count('stock_updates_total', { operation, result: 'failed' }, orders);
    throw error;
  }
}
