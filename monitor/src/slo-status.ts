// How the objectives stand: the budget that is left of the window, and how fast it burns.
//
// B1. Everything is read from what the recording rules of the objectives record (slo-rules.ts), so
//     that this page, the dashboards and the alerts never disagree.
// B2. The budget is counted in events: both rates are summed over the same instants, so that an
//     hour with many orders weighs more than a quiet one.
// B3. Where nothing is known yet the figure is null, not 0 and not 1.

import type { Evaluate } from './alerting/rule-runner.ts';
import { type Objective, type ObjectiveName, objectives } from './slo-objectives.ts';
import { type BurnWindow, burnRates, burnWindows, recorded } from './slo-rules.ts';

export type SloStatus = {
  slo: ObjectiveName;
  title: string;
  promise: string;
  target: number;
  windowDays: number;
  /** The share of good events over the whole window, as far as it is known. */
  ratio: number | null;
  /** 1 when nothing of the budget is spent, 0 when all is, less when more. */
  budgetLeft: number | null;
  windows: {
    window: BurnWindow;
    ratio: number | null;
    /** How many times faster than allowed the budget is spent. */
    burnRate: number | null;
  }[];
  /** The pairs of windows that alert, and whether both burn now. */
  burning: { factor: number; long: BurnWindow; short: BurnWindow; isBurning: boolean }[];
};

/** @throws what the evaluator throws */
export async function sloStatus(evaluate: Evaluate, atMs: number): Promise<SloStatus[]> {
  const statuses: SloStatus[] = [];
  for (const [slo, objective] of Object.entries<Objective>(objectives)) {
    statuses.push(await statusOf(slo as ObjectiveName, objective, evaluate, atMs));
  }
  return statuses;
}

async function statusOf(
  slo: ObjectiveName,
  objective: Objective,
  evaluate: Evaluate,
  atMs: number,
): Promise<SloStatus> {
  const { title, promise, target, windowDays } = objective;
  const ask = async (expr: string): Promise<number | null> => {
    const [answer] = await evaluate(expr, atMs);
    return answer === undefined || !Number.isFinite(answer.value) ? null : answer.value;
  };
  const windows: SloStatus['windows'] = [];
  for (const window of burnWindows) {
    const bad = await ask(recorded(slo, window).ratio);
    windows.push({ window, ratio: goodOf(bad), burnRate: burnRateOf(bad, target) });
  }
  const { errors, events } = recorded(slo, '5m');
  const spent = await ask(
    `sum_over_time(${errors}[${windowDays}d]) / sum_over_time(${events}[${windowDays}d])`,
  );
  const rateOf = (window: BurnWindow): number =>
    windows.find((entry) => entry.window === window)?.burnRate ?? 0;
  const spentRate = burnRateOf(spent, target);
  return {
    slo,
    title,
    promise,
    target,
    windowDays,
    ratio: goodOf(spent),
    budgetLeft: spentRate === null ? null : 1 - spentRate,
    windows,
    burning: burnRates.map(({ factor, long, short }) => ({
      factor,
      long,
      short,
      isBurning: rateOf(long) > factor && rateOf(short) > factor,
    })),
  };
}

function goodOf(bad: number | null): number | null {
  return bad === null ? null : 1 - bad;
}

function burnRateOf(bad: number | null, target: number): number | null {
  return bad === null ? null : bad / (1 - target);
}
