// The lines of an order, compared and added up.

import type { Line } from './history.ts';

/** Equal for equal lines in whatever order, and for no others. */
export function fingerprint(lines: readonly Line[]): string {
  const [first] = lines;
  if (lines.length === 1 && first) return `${first.itemId}:${first.quantity}`;
  return lines
    .map(({ itemId, quantity }) => `${itemId}:${quantity}`)
    .sort()
    .join(' ');
}

export function sameLines(some: readonly Line[], others: readonly Line[]): boolean {
  return some.length === others.length && fingerprint(some) === fingerprint(others);
}

/** Portions by item: an item that stands in two lines is wanted twice. */
export function byItem(lines: readonly Line[]): Iterable<readonly [itemId: string, number]> {
  const [first] = lines;
  if (lines.length === 1 && first) return [[first.itemId, first.quantity]];
  const sums = new Map<string, number>();
  for (const { itemId, quantity } of lines) sums.set(itemId, (sums.get(itemId) ?? 0) + quantity);
  return sums;
}

export function show(lines: readonly Line[]): string {
  return lines.map(({ itemId, quantity }) => `${quantity} × ${itemId}`).join(' + ');
}
