// What is promised of the order path, next to what was measured.

import { figure, table } from './table.ts';

export type Verdict = {
  what: string;
  bar: string;
  measured: number | null;
  unit: string;
  /** Null: not measured on this system. */
  met: boolean | null;
};

export type Figures = {
  manyToEmpty: number;
  hotToEmpty: number;
  manyToCommits: number;
  hotToCommits: number;
  halfLoadP99Ms: number;
  soldOutP99Ms: number;
  goodputToPeak: number;
  /** Null: not within the time that was watched. */
  recoveryS: number | null;
  firstOrderS: number | null;
  idleMemoryMb: number | null;
};

const atLeast = 'at least';
const atMost = 'at most';

/** Each promise: what, which way, the bar, the unit, and where to look. */
const promises = [
  ['settled orders/s ÷ empty route, 19 items', atLeast, 0.5, '', 'manyToEmpty'],
  ['settled orders/s ÷ empty route, one hot item', atLeast, 0.5, '', 'hotToEmpty'],
  ['settled orders/s ÷ row commits, 19 items', atLeast, 2, '', 'manyToCommits'],
  ['settled orders/s ÷ row commits, one hot item', atLeast, 2, '', 'hotToCommits'],
  ['p99 of an accepted order at half the peak', atMost, 50, 'ms', 'halfLoadP99Ms'],
  ['p99 of "sold out" at three times the peak', atMost, 50, 'ms', 'soldOutP99Ms'],
  ['goodput at three times the peak ÷ peak', atLeast, 0.8, '', 'goodputToPeak'],
  ['back to normal after the overload', atMost, 10, 's', 'recoveryS'],
  ['npm start → first settled order', atMost, 5, 's', 'firstOrderS'],
  ['memory of everything, idle', atMost, 1_024, 'MB', 'idleMemoryMb'],
] as const satisfies readonly (readonly [string, string, number, string, keyof Figures])[];

export function judge(figures: Figures): Verdict[] {
  return promises.map(([what, way, bar, unit, key]) => {
    const measured = figures[key];
    const isKept = measured !== null && (way === atLeast ? measured >= bar : measured <= bar);
    const isUnknown = measured === null && key !== 'recoveryS';
    const words = `${way} ${figure(bar)}${unit === '' ? '' : ` ${unit}`}`;
    return { what, bar: words, measured, unit, met: isUnknown ? null : isKept };
  });
}

export function describeVerdicts(verdicts: readonly Verdict[]): string {
  return table(
    ['promised', 'bar', 'measured', ''],
    verdicts.map(({ what, bar, measured, unit, met }) => [
      what,
      bar,
      measured === null ? '–' : `${figure(measured)} ${unit}`.trim(),
      met === null ? 'not measured' : met ? 'met' : 'NOT MET',
    ]),
  );
}
