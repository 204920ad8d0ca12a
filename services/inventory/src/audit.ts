// The stock books, checked: the balances of an item against its ledger and against the holds.

import type { Item } from './stock.ts';
import type { Violation } from './store.ts';

/** Sums of the ledger by kind, for one item. */
export type LedgerSums = Readonly<Record<string, number>>;
/** Portions in holds by status, for one item. */
export type HoldSums = Readonly<Record<string, number>>;

/**
 * Every rule that an item breaks.
 *
 * @param ledger sums per item id; `archived` counts sold portions whose holds were forgotten
 * @param holds portions per item id
 */
export function findViolations(
  items: readonly Item[],
  ledger: ReadonlyMap<string, LedgerSums>,
  holds: ReadonlyMap<string, HoldSums>,
): Violation[] {
  return items.flatMap((item) => {
    const entries = ledger.get(item.itemId) ?? {};
    const held = holds.get(item.itemId) ?? {};
    const sum = (kind: string): number => entries[kind] ?? 0;
    const sold = sum('committed') - sum('returned');
    const reserved = sum('reserved') - sum('released') - sum('committed');
    const rules: [rule: string, expected: number, found: number][] = [
      ['initial = ledger', sum('initial'), item.initial],
      ['added = ledger', sum('added'), item.added],
      ['sold = ledger', sold, item.sold],
      ['reserved = ledger', reserved, item.reserved],
      ['on hand = initial + added - sold', item.initial + item.added - item.sold, item.onHand],
      ['reserved = holds', held['reserved'] ?? 0, item.reserved],
      ['sold = holds', (held['committed'] ?? 0) + sum('archived'), item.sold],
    ];
    const broken = rules
      .filter(([, expected, found]) => expected !== found)
      .map(([rule, expected, found]) => ({
        rule,
        subject: item.itemId,
        detail: `expected ${expected}, found ${found}`,
      }));
    if (item.reserved < 0 || item.onHand < item.reserved) {
      const detail = `on hand ${item.onHand}, reserved ${item.reserved}`;
      broken.push({ rule: 'never oversold', subject: item.itemId, detail });
    }
    return broken;
  });
}
