// From what an admin typed to the change that is sent: only what differs, and never half of it.

import type { Item } from '@rushlight/contracts';
import { parseMoney } from './money.ts';

export type StockChange = 'keep' | 'add' | 'set';

export type ItemDraft = { name: string; price: string; stockChange: StockChange; stock: string };

export type ItemChanges =
  | { kind: 'none' }
  | { kind: 'wrong'; why: Partial<Record<keyof ItemDraft, string>> }
  | {
      kind: 'changes';
      body: {
        version: number;
        name?: string;
        priceCents?: number;
        addStock?: number;
        setStock?: number;
      };
    };

/** What a draft changes about an item, or what is wrong with it. */
export function itemChanges(item: Item, draft: ItemDraft): ItemChanges {
  const name = draft.name.trim();
  const priceCents = parseMoney(draft.price);
  const stock = parseStock(draft);
  const why: Partial<Record<keyof ItemDraft, string>> = {};
  if (name === '') why.name = 'An item needs a name.';
  if (priceCents === null) why.price = 'A price looks like 4.50.';
  if (stock.kind === 'wrong') why.stock = stock.why;
  if (priceCents === null || stock.kind === 'wrong' || why.name) return { kind: 'wrong', why };
  const changes = {
    ...(name === item.name ? {} : { name }),
    ...(priceCents === item.priceCents ? {} : { priceCents }),
    ...stock.change,
  };
  if (Object.keys(changes).length === 0) return { kind: 'none' };
  return { kind: 'changes', body: { version: item.version, ...changes } };
}

type ParsedStock =
  | { kind: 'fine'; change: { addStock?: number; setStock?: number } }
  | { kind: 'wrong'; why: string };

function parseStock({ stockChange, stock }: ItemDraft): ParsedStock {
  if (stockChange === 'keep') return { kind: 'fine', change: {} };
  const text = stock.trim().replace('−', '-');
  if (text === '') return { kind: 'wrong', why: 'How many?' };
  if (stockChange === 'set') {
    if (!/^\d{1,6}$/.test(text)) return { kind: 'wrong', why: 'A whole number, 0 or more.' };
    return { kind: 'fine', change: { setStock: Number(text) } };
  }
  if (!/^[+-]?\d{1,6}$/.test(text)) {
    return { kind: 'wrong', why: 'A whole number; −5 takes five away.' };
  }
  const added = Number(text);
  return { kind: 'fine', change: added === 0 ? {} : { addStock: added } };
}

/** A readable id for a new item: "Chicken Biryani!" → "chicken-biryani". */
export function itemIdFrom(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
    .replace(/-+$/, '');
}
