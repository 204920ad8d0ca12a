// The platform under open load: at half its peak, at three times it and after, and sold out.

import type { Latency, Outcome, Step } from './load/plan.ts';

export type Answers = Record<string, Latency>;

export type Overload = {
  ratePerS: number;
  answers: Answers;
  /** 201 that came while the overload lasted; those after it do not count. */
  goodputPerS: number;
  goodputToPeak: number;
  /** Half the peak right before the overload; what is normal. */
  normal: Latency | null;
  recovery: Recovery;
};

export type Recovery = {
  /** From the end of the overload; null when it was not back while we watched. */
  seconds: number | null;
  windows: Window[];
};
export type Window = { fromS: number; accepted: number; others: number; p99Ms: number };

export type OverloadTimes = { normalMs: number; overloadMs: number; recoveryMs: number };

const windowMs = 1_000;
/** So much above the normal p99 is still normal. */
const normalTimes = 2;
/** A p99 below this is normal whatever it was before: it is what is promised at half the peak. */
const normalMsMin = 50;

export function overloadSteps(peakPerS: number, times: OverloadTimes): Step[] {
  const half = peakPerS / 2;
  return [
    { name: 'normal', ratePerS: half, durationMs: times.normalMs },
    { name: 'overload', ratePerS: peakPerS * 3, durationMs: times.overloadMs },
    { name: 'recovery', ratePerS: half, durationMs: times.recoveryMs, windowMs },
  ];
}

export function readOverload(outcome: Outcome, peakPerS: number, times: OverloadTimes): Overload {
  const answers = answersOf(outcome, 'overload');
  const goodputPerS = ((outcome.inTime['overload 201'] ?? 0) * 1_000) / times.overloadMs;
  const normal = answersOf(outcome, 'normal')['201'] ?? null;
  return {
    ratePerS: peakPerS * 3,
    answers,
    goodputPerS,
    goodputToPeak: goodputPerS / peakPerS,
    normal,
    recovery: readRecovery(outcome, Math.max(normalMsMin, (normal?.p99 ?? 0) * normalTimes)),
  };
}

/** Answers of one step, by status. */
export function answersOf({ latencyMs }: Outcome, step: string): Answers {
  const found = Object.entries(latencyMs)
    .map(([name, latency]) => [name.split(' '), latency] as const)
    .filter(([[name], _]) => name === step)
    .map(([words, latency]) => [words.at(-1) ?? '', latency] as const);
  return Object.fromEntries(found);
}

/** The first window in which all orders were accepted and quick. */
function readRecovery({ latencyMs }: Outcome, p99MsMax: number): Recovery {
  const windows: Window[] = [];
  for (const [name, { count, p99 }] of Object.entries(latencyMs)) {
    const [step, number, status] = name.split(' ');
    if (step !== 'recovery') continue;
    const index = Number(number);
    const fromS = (index * windowMs) / 1_000;
    windows[index] ??= { fromS, accepted: 0, others: 0, p99Ms: 0 };
    const window = windows[index];
    if (status === '201') Object.assign(window, { accepted: count, p99Ms: p99 });
    else window.others += count;
  }
  const isNormal = ({ accepted, others, p99Ms }: Window): boolean =>
    accepted > 0 && others === 0 && p99Ms <= p99MsMax;
  const back = windows.find((window) => window !== undefined && isNormal(window));
  return { seconds: back === undefined ? null : back.fromS, windows };
}
