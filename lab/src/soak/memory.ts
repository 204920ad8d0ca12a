// Whether memory grows without end.
//
// M1. Each part is judged in the longest stretch in which it was spared from kills, by the slope of a
//     line through its memory after each slice; the first slices warm it up and do not count.
// M2. It grows without end when that line rises by more than half of its mean height: a heap breathes
//     by a third.
// M3. Too few slices are no verdict: the figure is reported, and judged by people.

import type { SliceRecord } from './state.ts';

export type Growth = {
  part: string;
  slices: number;
  firstMb: number;
  lastMb: number;
  /** How far the line rises from its first to its last slice, as a share of its mean. */
  rise: number;
  verdict: 'flat' | 'grows' | 'too short';
};

const warmUpSlices = 4;
/** Without those that warm up. */
const slicesMin = 12;
const riseMax = 0.5;

/** `total` is the whole platform, over the longest run. */
export function growths(slices: readonly SliceRecord[]): Growth[] {
  const parts = [...new Set(slices.map(({ spared }) => spared))];
  const ofParts = parts.flatMap((part) => {
    const stretch = longest(slices, (one) => (one.spared === part ? part : undefined));
    return growthOf(
      part,
      stretch.map(({ memoryMb }) => memoryMb[part]),
    );
  });
  const run = longest(slices, () => 'total');
  return [...growthOf('total', run.map(totalMb)), ...ofParts];
}

export function totalMb({ memoryMb }: Pick<SliceRecord, 'memoryMb'>): number {
  return Object.values(memoryMb).reduce((sum, mb) => sum + mb, 0);
}

/** The longest sequence of slices of one run for which `mark` gives the same. */
function longest(
  slices: readonly SliceRecord[],
  mark: (one: SliceRecord) => string | undefined,
): SliceRecord[] {
  let best: SliceRecord[] = [];
  let current: SliceRecord[] = [];
  for (const one of slices) {
    const last = current.at(-1);
    if (mark(one) === undefined) current = [];
    else if (last && last.run === one.run && last.nth + 1 === one.nth) current.push(one);
    else current = [one];
    if (current.length > best.length) best = [...current];
  }
  return best;
}

function growthOf(part: string, memoryMb: readonly (number | undefined)[]): Growth[] {
  const warm = memoryMb.filter((mb) => mb !== undefined).slice(warmUpSlices);
  const [firstMb, lastMb] = [warm[0], warm.at(-1)];
  if (firstMb === undefined || lastMb === undefined) return [];
  const mean = warm.reduce((sum, mb) => sum + mb, 0) / warm.length;
  const rise = (slopeOf(warm) * (warm.length - 1)) / mean;
  const grows = rise > riseMax ? 'grows' : 'flat';
  const verdict = warm.length < slicesMin ? 'too short' : grows;
  return [{ part, slices: warm.length, firstMb, lastMb, rise, verdict }];
}

/** Of the least-squares line through these values. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let above = 0;
  let below = 0;
  for (const [x, y] of values.entries()) {
    above += (x - middle) * (y - mean);
    below += (x - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
