// The menu of a fresh shop: a campus cafeteria in Ramadan. And how a menu is searched.

import type { NewItem } from './edit-item.ts';
import type { Item } from './stock.ts';

export type Dish = Omit<NewItem, 'stock'>;

const dish = (itemId: string, name: string, category: string, priceCents: number): Dish => ({
  itemId,
  name,
  category,
  priceCents,
});

export const dishes: readonly Dish[] = [
  dish('chicken-biryani', 'Chicken biryani', 'mains', 890),
  dish('lamb-mandi', 'Lamb mandi', 'mains', 1190),
  dish('beef-kofta', 'Beef kofta with rice', 'mains', 950),
  dish('chicken-shawarma', 'Chicken shawarma plate', 'mains', 790),
  dish('vegetable-tagine', 'Vegetable tagine', 'mains', 720),
  dish('grilled-fish', 'Grilled fish with lemon rice', 'mains', 1050),
  dish('haleem', 'Haleem', 'mains', 680),
  dish('lentil-soup', 'Lentil soup', 'sides', 320),
  dish('vegetable-samosas', 'Vegetable samosas (3)', 'sides', 350),
  dish('fattoush', 'Fattoush salad', 'sides', 390),
  dish('hummus-bread', 'Hummus with warm bread', 'sides', 380),
  dish('date-plate', 'Plate of dates (5)', 'sides', 250),
  dish('laban', 'Laban', 'drinks', 180),
  dish('jallab', 'Jallab', 'drinks', 240),
  dish('mint-lemonade', 'Mint lemonade', 'drinks', 260),
  dish('water', 'Water', 'drinks', 100),
  dish('kunafa', 'Kunafa', 'desserts', 450),
  dish('qatayef', 'Qatayef (3)', 'desserts', 400),
  dish('umm-ali', 'Umm Ali', 'desserts', 420),
];

const categoryOrder = ['mains', 'sides', 'drinks', 'desserts'];

/** What is on the menu and fits the search, in the order of a menu: by course, then by name. */
export function searchMenu(
  items: readonly Item[],
  { q, category }: { q?: string | undefined; category?: string | undefined },
): Item[] {
  const words = q?.trim().toLowerCase() ?? '';
  const wanted = category?.trim().toLowerCase() ?? '';
  return items
    .filter((item) => !item.removed)
    .filter((item) => wanted === '' || item.category.toLowerCase() === wanted)
    .filter((item) => `${item.name}\n${item.category}`.toLowerCase().includes(words))
    .sort(byCourse);
}

function byCourse(a: Item, b: Item): number {
  return (
    course(a) - course(b) || a.category.localeCompare(b.category) || a.name.localeCompare(b.name)
  );
}

function course({ category }: Item): number {
  const index = categoryOrder.indexOf(category);
  return index === -1 ? categoryOrder.length : index;
}
