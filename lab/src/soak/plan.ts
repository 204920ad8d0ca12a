// What breaks in each slice of a soak: pure, and the same for the same seed.
//
// L1. A slice has at least one kill and one stop.
// L2. Each part in turn is spared from kills for some slices: only who lives can show a
//     leak. At the end of each turn everything is killed at once.
// L3. Whatever breaks is over, or healed, long before the deadline of an order.

import { seededRandom } from '@rushlight/chassis';
import { type FaultTarget, partNames } from '@rushlight/contracts';
import { everything, type PlannedFault } from '../rush/fault-plan.ts';

export type SlicePlan = {
  seed: number;
  /** The part that is not killed. */
  spared: FaultTarget;
  faults: readonly PlannedFault[];
};

export const slice = { meals: 500, arrivals: 1_000, seconds: 20, items: 3 } as const;

const sparedForSlices = 16;
const faultsMin = 4;
const faultsSpan = 5;
const killShare = 0.6;
const downSMax = 3;
const stopSMin = 0.1;
const stopSMax = 20;

/** @param nth the number of the slice, from 0, over all runs of the soak */
export function planSlice(soakSeed: number, nth: number): SlicePlan {
  const seed = Math.floor(seededRandom(soakSeed + nth * 7_919)() * 2 ** 31);
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const turn = Math.floor(nth / sparedForSlices) % partNames.length;
  const spared = partNames[turn] ?? 'postgres';
  const killable = partNames.filter((name) => name !== spared);
  const atS = (): number => round(random() * (slice.seconds - 1));
  const kill = (): PlannedFault => ({
    fault: 'kill',
    target: pick(killable),
    atS: atS(),
    durationS: random() < 0.5 ? 0 : round(random() * downSMax),
  });
  // As often short as long: most of what goes wrong does so at an edge between two time-outs.
  const stop = (): PlannedFault => ({
    fault: 'stop',
    target: pick(partNames),
    atS: atS(),
    durationS: round(stopSMin * (stopSMax / stopSMin) ** random()),
  });
  const more = faultsMin - 2 + Math.floor(random() * faultsSpan);
  const faults = [kill(), stop()];
  for (let n = 0; n < more; n++) faults.push(random() < killShare ? kill() : stop());
  // At the end of a turn also the one who was spared.
  if (nth % sparedForSlices === sparedForSlices - 1) {
    faults.push({ fault: 'kill', target: everything, atS: atS(), durationS: 0 });
  }
  return { seed, spared, faults: faults.sort((a, b) => a.atS - b.atS) };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
