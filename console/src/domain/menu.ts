// The menu as events change it, and as a visitor searches it. Pure.

import type { MenuItem, StreamEvent } from '@rushlight/contracts';

type MenuEvent = Extract<StreamEvent, { kind: 'menu' }>['data'];

/**
 * The menu after an event. `unknown` means: the event speaks of an item that is not here and does
 * not say all of it, so the menu must be read again.
 */
export function withMenuEvent(menu: readonly MenuItem[], event: MenuEvent): MenuItem[] | 'unknown' {
  const { itemId, removed, ...changes } = event;
  const at = menu.findIndex((item) => item.itemId === itemId);
  const before = menu[at];
  if (removed) return before ? menu.toSpliced(at, 1) : [...menu];
  if (before) return menu.with(at, { ...before, ...present(changes) });
  const { name, category, priceCents, available } = changes;
  if (name === undefined || category === undefined) return 'unknown';
  if (priceCents === undefined || available === undefined) return 'unknown';
  return [...menu, { itemId, name, category, priceCents, available }];
}

function present(changes: Omit<MenuEvent, 'itemId' | 'removed'>): Partial<MenuItem> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

const known = ['mains', 'sides', 'drinks', 'desserts'];

/** The categories of a menu: those we know in a meal's order, then the others by name. */
export function categoriesOf(menu: readonly MenuItem[]): string[] {
  const place = (category: string) => {
    const at = known.indexOf(category.toLowerCase());
    return at < 0 ? known.length : at;
  };
  return [...new Set(menu.map((item) => item.category))].sort(
    (a, b) => place(a) - place(b) || a.localeCompare(b),
  );
}

/** Items of a category (all for undefined) whose name holds every searched word. */
export function search(
  menu: readonly MenuItem[],
  query: string,
  category?: string | undefined,
): MenuItem[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return menu.filter((item) => {
    if (category !== undefined && item.category !== category) return false;
    const text = `${item.name} ${item.category}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export type Left = { readonly text: string; readonly level: 'plenty' | 'few' | 'none' };

/** What is left, in words, and how urgent that is. */
export function leftText(available: number): Left {
  if (available <= 0) return { text: 'Sold out', level: 'none' };
  if (available <= 10) return { text: `Only ${available} left`, level: 'few' };
  return { text: `${available.toLocaleString('en-US')} left`, level: 'plenty' };
}

export function titleCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
