// From a run that fails to the smallest one that still fails in the same way: without faults, orders
// and rates that have no part in it.
//
// K1. What is left out changes nothing of the rest: orders and faults are drawn beforehand, each with
//     chance of its own. Only who talks when may shift, so each smaller run is tried, not assumed.

import type { Outcome, RunOptions } from './run.ts';
import type { SettingName, Settings } from './settings.ts';

export type Smaller = {
  options: RunOptions;
  outcome: Outcome;
  /** How many runs it took. */
  runs: number;
};

/** Rates and numbers that may be nothing at all. */
const optional: readonly SettingName[] = [
  ...(['topUps', 'addStockTimes', 'refuseRate', 'cancelRate', 'doubleTapRate'] as const),
  ...(['keyReuseRate', 'bigOrderRate', 'poorRate', 'cookMsMax', 'clientRetries'] as const),
  ...(['requestLostRate', 'answerLostRate', 'slowCallRate', 'storeFailedRate'] as const),
  ...(['commitUnheardRate', 'slowStoreRate', 'publishFailedRate', 'confirmLostRate'] as const),
  ...(['messageRepeatedRate', 'messageLateRate', 'ackLostRate', 'hintLostRate'] as const),
  ...(['declineRate', 'providerSilentRate', 'providerSlowRate', 'streamCutRate'] as const),
];
const runsMax = 300;

export async function shrink(
  failing: Outcome,
  options: RunOptions,
  run: (options: RunOptions) => Promise<Outcome>,
): Promise<Smaller> {
  const rules = new Set(failing.findings.map(({ rule }) => rule));
  let best: Smaller = { options, outcome: failing, runs: 0 };
  let runs = 0;
  const tryOut = async (candidate: RunOptions): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs += 1;
    const outcome = await run(candidate);
    if (!outcome.findings.some(({ rule }) => rules.has(rule))) return false;
    best = { options: candidate, outcome, runs };
    return true;
  };
  for (let before = ''; before !== sizeOf(best.options) && runs < runsMax; ) {
    before = sizeOf(best.options);
    await dropRates(() => best, tryOut);
    await dropPlanned('faults', best.outcome.faultNumbers, () => best, tryOut);
    await dropPlanned(
      'orders',
      best.outcome.plan.orders.map(({ index }) => index),
      () => best,
      tryOut,
    );
  }
  return { ...best, runs };
}

type TryOut = (candidate: RunOptions) => Promise<boolean>;

async function dropRates(best: () => Smaller, tryOut: TryOut): Promise<void> {
  const nothing: Partial<Settings> = Object.fromEntries(optional.map((name) => [name, 0]));
  const { options } = best();
  if (await tryOut({ ...options, settings: { ...options.settings, ...nothing } })) return;
  for (const name of optional) {
    const { options: now, outcome } = best();
    if (outcome.settings[name] === 0) continue;
    await tryOut({ ...now, settings: { ...now.settings, [name]: 0 } });
  }
}

/** All at once, then halves, quarters, and one by one. */
async function dropPlanned(
  kind: 'faults' | 'orders',
  numbers: readonly number[],
  best: () => Smaller,
  tryOut: TryOut,
): Promise<void> {
  let left = [...numbers];
  for (let size = left.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < left.length; ) {
      const part = left.slice(from, from + size);
      const { options } = best();
      const gone = [...(options.without?.[kind] ?? []), ...part].sort((a, b) => a - b);
      if (await tryOut({ ...options, without: { ...options.without, [kind]: gone } })) {
        left = left.filter((number) => !part.includes(number));
      } else from += size;
    }
  }
}

function sizeOf({ settings, without }: RunOptions): string {
  return JSON.stringify([settings, without]);
}

/** The command that repeats a run. */
export function commandOf({ seed, settings = {}, without = {} }: RunOptions): string {
  const set = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [
    `npm run sim -- --seed ${seed}`,
    ...(set.length > 0 ? [`--set ${set.join(',')}`] : []),
    ...(without.faults?.length ? [`--without-faults ${without.faults.join(',')}`] : []),
    ...(without.orders?.length ? [`--without-orders ${without.orders.join(',')}`] : []),
    '--trace',
  ].join(' ');
}
