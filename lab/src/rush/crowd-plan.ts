// What the crowd is going to do: pure, and the same for the same seed.
//
// W1. One portion an order.
// W2. Who cancels comes early, so that what is given back can be sold again.
// W3. Without faults all portions are there from the start. With faults half of them are, and one tray
//     comes just before each fault, so that there is something to sell while it lasts.

import { seededRandom } from '@rushlight/chassis';
import { arrivalSchedule } from '../load/schedule.ts';

/** What a client is like. */
export type Manner =
  /** Asks until there is an answer. */
  | 'patient'
  /** Asks once. */
  | 'gives up'
  /** Sends the same request twice at once. */
  | 'taps twice'
  /** Drops the line before the answer, and asks again later. */
  | 'drops the line'
  /** Cancels an order as soon as it is accepted. */
  | 'cancels'
  /** Looks at an order again and again. */
  | 'reads';

export type Arrival = {
  atMs: number;
  student: number;
  /** Unique in this crowd. */
  key: string;
  item: number;
  manner: Manner;
  /** How long this client waits, of what may be waited, 0 to 1. */
  pace: number;
};

/** Portions that come while people order. */
export type Tray = { atMs: number; item: number; quantity: number };

export type CrowdPlan = {
  arrivals: readonly Arrival[];
  /** Portions of each item at the start. */
  initial: readonly number[];
  trays: readonly Tray[];
  students: number;
};

export type CrowdPlanOptions = {
  meals: number;
  arrivals: number;
  seconds: number;
  items: number;
  seed: number;
  faultsAtS: readonly number[];
};

const manners: readonly [Manner, share: number][] = [
  ['taps twice', 0.08],
  ['drops the line', 0.05],
  ['cancels', 0.05],
  ['gives up', 0.05],
  ['reads', 0.07],
];
const cancelPart = 0.5;
const studentsMax = 1_000;
const initialShare = 0.5;
const trayLeadMs = 500;

export function planCrowd(options: CrowdPlanOptions): CrowdPlan {
  const { meals, items, seed } = options;
  const durationMs = options.seconds * 1_000;
  const random = seededRandom(seed ^ 0x5eed);
  const students = Math.min(options.arrivals, studentsMax);
  const schedule = { arrivals: options.arrivals, durationMs, shape: 'rush', seed } as const;
  const arrivals = arrivalSchedule(schedule).map((atMs, nth): Arrival => {
    const manner = mannerOf(random());
    const isLate = atMs > durationMs * cancelPart;
    return {
      atMs,
      student: Math.floor(random() * students),
      key: String(nth),
      item: Math.floor(random() * items),
      manner: manner === 'cancels' && isLate ? 'patient' : manner,
      pace: random(),
    };
  });
  return { arrivals, students, ...planStock(meals, items, options.faultsAtS) };
}

function mannerOf(chance: number): Manner {
  let sum = 0;
  for (const [manner, share] of manners) {
    sum += share;
    if (chance < sum) return manner;
  }
  return 'patient';
}

function planStock(
  meals: number,
  items: number,
  faultsAtS: readonly number[],
): Pick<CrowdPlan, 'initial' | 'trays'> {
  const whole = split(meals, items);
  if (faultsAtS.length === 0) return { initial: whole, trays: [] };
  const initial = whole.map((portions) => Math.ceil(portions * initialShare));
  const trays = whole.flatMap((portions, item) =>
    split(portions - (initial[item] ?? 0), faultsAtS.length).map((quantity, nth) => ({
      atMs: Math.max(0, (faultsAtS[nth] ?? 0) * 1_000 - trayLeadMs),
      item,
      quantity,
    })),
  );
  const some = trays.filter(({ quantity }) => quantity > 0);
  return { initial, trays: some.sort((a, b) => a.atMs - b.atMs) };
}

/** So many whole parts, as equal as can be. */
function split(whole: number, parts: number): number[] {
  const share = Math.floor(whole / parts);
  return Array.from({ length: parts }, (_, nth) => share + (nth < whole % parts ? 1 : 0));
}
