// The cart: item id → quantity, in the order of adding. Pure; pages keep it and draw it.
//
// C1. A quantity is 1 to `limits.quantityMax`; a line at 0 is gone.
// C2. At most `limits.linesMax` lines.
// C3. The cart holds no prices: those come from the menu of the moment.

import { limits, type MenuItem, type OrderLine } from '@rushlight/contracts';

export type Cart = readonly OrderLine[];

/** A cart line next to what the menu says about it now. */
export type CartLine = OrderLine & {
  readonly name: string;
  readonly priceCents: number;
  readonly totalCents: number;
  readonly trouble?: 'gone' | 'sold_out' | 'too_many';
  readonly available: number;
};

export const emptyCart: Cart = [];

/** Sets how many of an item; 0 takes it out. Beyond a limit the cart stays within it. */
export function setQuantity(cart: Cart, itemId: string, wanted: number): Cart {
  const quantity = Math.max(0, Math.min(limits.quantityMax, Math.trunc(wanted)));
  const at = cart.findIndex((line) => line.itemId === itemId);
  if (at < 0) {
    if (quantity === 0 || cart.length >= limits.linesMax) return cart;
    return [...cart, { itemId, quantity }];
  }
  if (quantity === 0) return cart.toSpliced(at, 1);
  return cart.with(at, { itemId, quantity });
}

export function quantityOf(cart: Cart, itemId: string): number {
  return cart.find((line) => line.itemId === itemId)?.quantity ?? 0;
}

export function portions(cart: Cart): number {
  return cart.reduce((sum, line) => sum + line.quantity, 0);
}

/** The cart as the menu sees it now: names, prices, and what can no longer be had. */
export function priced(cart: Cart, menu: readonly MenuItem[]): CartLine[] {
  const byId = new Map(menu.map((item) => [item.itemId, item]));
  return cart.map((line) => {
    const item = byId.get(line.itemId);
    if (!item) {
      const gone = { name: line.itemId, priceCents: 0, totalCents: 0, available: 0 };
      return { ...line, ...gone, trouble: 'gone' as const };
    }
    const { name, priceCents, available } = item;
    const sold = { ...line, name, priceCents, available, totalCents: priceCents * line.quantity };
    if (available <= 0) return { ...sold, trouble: 'sold_out' as const };
    if (available < line.quantity) return { ...sold, trouble: 'too_many' as const };
    return sold;
  });
}

export function totalCents(lines: readonly CartLine[]): number {
  return lines.reduce((sum, line) => sum + line.totalCents, 0);
}

/** What is wrong with a line, in words; undefined when it can be ordered. */
export function troubleText({ trouble, available }: CartLine): string | undefined {
  return trouble && troubleTexts[trouble](available);
}

const troubleTexts = {
  gone: () => 'No longer on the menu',
  sold_out: () => 'Sold out',
  too_many: (available: number) => `Only ${available} left`,
} as const;

/** Reads back what was kept between page loads; anything odd counts as an empty cart. */
export function readCart(text: string | null): Cart {
  if (!text) return emptyCart;
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return emptyCart;
  }
  if (!Array.isArray(kept)) return emptyCart;
  return kept.reduce<Cart>((cart, line: unknown) => {
    if (typeof line !== 'object' || line === null) return cart;
    const { itemId, quantity } = line as Record<string, unknown>;
    if (typeof itemId !== 'string' || typeof quantity !== 'number') return cart;
    return Number.isFinite(quantity) ? setQuantity(cart, itemId, quantity) : cart;
  }, emptyCart);
}
