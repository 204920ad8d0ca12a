// What each student will try, drawn before anything happens: so an order that is left out of a run
// changes none of the others.

import type { Line } from '@rushlight/auditor';
import type { Settings } from '../settings.ts';

export type PlannedOrder = {
  index: number;
  atMs: number;
  student: string;
  key: string;
  lines: Line[];
  /** A second tap this much later, on the same key. */
  tapAgainMs: number | undefined;
  /** Gives it up this long after the answer. */
  cancelAfterMs: number | undefined;
  /** Uses the key again for something else. */
  reuse: Line[] | undefined;
  reads: number;
  /** Seeds what is decided on the way. */
  seed: number;
};

export type PlannedStock = { atMs: number; itemId: string; quantity: number };
export type PlannedTopUp = { atMs: number; studentId: string; amountCents: number };

export type Plan = {
  items: { itemId: string; priceCents: number }[];
  students: { studentId: string; name: string; openingCents: number }[];
  orders: PlannedOrder[];
  stock: PlannedStock[];
  topUps: PlannedTopUp[];
};

const names = ['soup', 'rice', 'tea'] as const;
/** Later than this after the shelves were stocked, so that "sold out" is judged in full. */
const firstOrderMs = 1_100;
const tapAgainMsMax = 400;
const cancelAfterMsMax = 3_000;
const atOnceMsMax = 30;

export function drawPlan(settings: Settings, dice: (use: string) => () => number): Plan {
  const random = dice('plan');
  const pick = (count: number): number => Math.floor(random() * count);
  const items = names.slice(0, settings.items).map((itemId, index) => ({
    itemId,
    priceCents: 100 * (index + 1),
  }));
  const students = Array.from({ length: settings.students }, (_, index) => {
    const poor = random() < settings.poorRate;
    const studentId = `s${index + 1}`;
    return { studentId, name: studentId, openingCents: poor ? 100 * pick(8) : 100_000 };
  });
  const itemId = (): string => items[pick(items.length)]?.itemId ?? names[0];
  const studentId = (): string => students[pick(students.length)]?.studentId ?? 's1';
  const orders = Array.from({ length: settings.orders }, (_, index) =>
    drawOrder({ settings, index, items, student: studentId(), random: dice(`order ${index}`) }),
  );
  const stock = Array.from({ length: settings.addStockTimes }, () => ({
    atMs: random() * settings.chaosMs,
    itemId: itemId(),
    quantity: 1 + pick(3),
  }));
  const topUps = Array.from({ length: settings.topUps }, () => ({
    atMs: random() * settings.chaosMs * 0.5,
    studentId: studentId(),
    amountCents: 100 * (1 + pick(5)),
  }));
  return { items, students, orders, stock, topUps };
}

function drawOrder(given: {
  settings: Settings;
  index: number;
  items: Plan['items'];
  student: string;
  random: () => number;
}): PlannedOrder {
  const { settings, index, items, student, random } = given;
  const { chaosMs, doubleTapRate, cancelRate, keyReuseRate, bigOrderRate } = settings;
  const maybe = (rate: number, maxMs: number): number | undefined => {
    const [presence, amount] = [random(), random()];
    return presence < rate ? amount * maxMs : undefined;
  };
  const line = (): Line => ({
    itemId: items[Math.floor(random() * items.length)]?.itemId ?? names[0],
    quantity: random() < 0.8 ? 1 : 2,
  });
  const first = line();
  const second = line();
  const isBig = random() < bigOrderRate && second.itemId !== first.itemId;
  // Several at about the same instant: races are what we look for.
  const wave = Math.floor(random() * 4) / 4;
  return {
    ...{ index, student },
    atMs: firstOrderMs + chaosMs * 0.8 * wave + random() * (random() < 0.5 ? 30 : chaosMs * 0.2),
    key: `k${index}`,
    lines: isBig ? [first, second] : [first],
    tapAgainMs: maybe(doubleTapRate, tapAgainMsMax),
    // Most change their mind at once, or not for a while: it is at once that messages overtake.
    cancelAfterMs: maybe(cancelRate, random() < 0.6 ? atOnceMsMax : cancelAfterMsMax),
    reuse: random() < keyReuseRate ? [{ ...first, quantity: first.quantity + 1 }] : undefined,
    reads: Math.floor(random() * 4),
    seed: Math.floor(random() * 0x7fffffff),
  };
}
