// The soak: rush after rush on one platform that is never started anew, each with faults of its own.
//
// K1. One platform lives through all slices of a run, so that what leaks shows.
// K2. Faults go past the gateway, to the processes: it may be the one that is down.
// K3. A slice that could not be judged ends the soak: its platform is in a state that nobody knows.

import { badCounts, type Certificate } from '@rushlight/auditor';
import type { FaultTarget } from '@rushlight/contracts';
import { everything } from '../rush/fault-plan.ts';
import type { Login } from '../rush/options.ts';
import { type RushResult, runRush, type Watcher } from '../rush/run-rush.ts';
import { openShop, type Shop } from '../rush/shop.ts';
import { planSlice, type SlicePlan, slice } from './plan.ts';
import { type SliceRecord, type SoakState, soakedMinutes } from './state.ts';

export type SoakOptions = {
  /** Of all runs together. */
  minutes: number;
  admin: Login;
};

export type SoakWatcher = {
  say(line: string): void;
  /** A slice is over; it stands in the state. */
  onSlice(record: SliceRecord): void;
};

const violationsKept = 20;

/**
 * Adds slices to the state until the minutes are full, or the signal is aborted.
 *
 * @throws Error when a slice could not be carried out (K3)
 */
export async function soak(
  state: SoakState,
  { minutes, admin }: SoakOptions,
  watcher: SoakWatcher,
  signal: AbortSignal,
): Promise<void> {
  if (soakedMinutes(state) >= minutes) return;
  const shop = withDirectFaults(await openShop(admin, undefined, signal));
  const run = (state.slices.at(-1)?.run ?? -1) + 1;
  let isKept = true;
  try {
    while (soakedMinutes(state) < minutes && !signal.aborted) {
      const nth = (state.slices.at(-1)?.nth ?? -1) + 1;
      const record = await oneSlice(shop, { run, nth, seed: state.seed }, watcher, signal);
      state.slices.push(record);
      watcher.onSlice(record);
    }
    isKept = state.slices.some((one) => one.run === run && isBad(one));
  } finally {
    await shop.close(isKept && !signal.aborted);
  }
}

function isBad({ bad, deadLetters }: SliceRecord): boolean {
  return deadLetters > 0 || badCounts.some((name) => bad[name] > 0);
}

type Place = { run: number; nth: number; seed: number };

async function oneSlice(
  shop: Shop,
  { run, nth, seed }: Place,
  { say }: SoakWatcher,
  signal: AbortSignal,
): Promise<SliceRecord> {
  const plan = planSlice(seed, nth);
  const startedMs = performance.now();
  const told: string[] = [];
  const quiet: Watcher = { say: (line) => void told.push(line), progress: () => undefined };
  const options = { ...slice, seed: plan.seed, faults: plan.faults };
  try {
    const rush = { ...options, admin: { studentId: '', password: '' } };
    const result = await runRush(rush, quiet, { shop, signal });
    if (!result.certificate.ok) for (const line of told) say(line);
    const durationS = (performance.now() - startedMs) / 1_000;
    return { run, nth, durationS, ...measured(shop, plan), ...judged(result) };
  } catch (error) {
    if (!signal.aborted) for (const line of told) say(line);
    throw error;
  }
}

function measured(
  shop: Shop,
  { seed, spared, faults }: SlicePlan,
): Pick<SliceRecord, 'seed' | 'spared' | 'kills' | 'stops' | 'memoryMb'> {
  const parts = shop.platform?.parts() ?? [];
  const memoryMb = Object.fromEntries(
    parts.flatMap(({ name, memoryMb: mb }) => (mb === null ? [] : [[name, mb]])),
  );
  const killed = faults.filter(({ fault }) => fault === 'kill');
  const kills = killed.map(({ target }) => (target === everything ? parts.length : 1));
  return {
    ...{ seed, spared, memoryMb },
    kills: kills.reduce((sum, count) => sum + count, 0),
    stops: faults.length - killed.length,
  };
}

function judged({
  certificate,
  evidence,
  deadLetters = 0,
}: RushResult): Omit<
  SliceRecord,
  'run' | 'nth' | 'seed' | 'durationS' | 'spared' | 'kills' | 'stops' | 'memoryMb'
> {
  const { startedAt, sold, answers, notChecked, violations } = certificate;
  return {
    ...{ startedAt, sold, deadLetters },
    orders: evidence.orders.length,
    acknowledged: answers['201'] + answers['202'],
    bad: badOf(certificate),
    notChecked: notChecked.length,
    violations: violations
      .slice(0, violationsKept)
      .map(({ invariant, subject, detail }) => `${invariant} ${subject}: ${detail}`),
  };
}

function badOf(certificate: Certificate): SliceRecord['bad'] {
  const counts = badCounts.map((name) => [name, certificate[name]]);
  return Object.fromEntries(counts) as SliceRecord['bad'];
}

/** The same shop; its faults are begun and ended by the launcher (K2). */
function withDirectFaults(shop: Shop): Shop {
  const { platform } = shop;
  if (platform === undefined) throw new Error('A soak needs a platform of its own.');
  return {
    ...shop,
    begin: async (planned) => {
      const { fault, target, durationS } = planned;
      if (target === everything) await shop.begin(planned);
      else platform.startFault({ fault, target: target as FaultTarget, durationS });
    },
    heal: async () => {
      platform.endFaults();
      await shop.heal();
    },
  };
}
