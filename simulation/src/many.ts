// Many runs, one after the other: counted, a sample of them made twice, the first that fails shrunk
// and told.

import { setImmediate } from 'node:timers/promises';
import type { Outcome, RunOptions } from './run.ts';
import { commandOf, shrink } from './shrink.ts';
import { addOutcome, emptyTotals, faultsOf, type Totals } from './totals.ts';

export type Run = (options: RunOptions) => Promise<Outcome>;

export type Progress = {
  totals: Totals;
  /** Of these. */
  ofSeeds: number;
};

export type ManyOptions = {
  from: number;
  seeds: number;
  totals?: Totals;
  run: Run;
  /** Hears after each run. */
  onProgress?: (progress: Progress) => void;
  shouldStop?: () => boolean;
};

/** One run in this many is made twice, and must come to the same hash. */
const repeatEvery = 50;
/** More seeds that fail say nothing new. */
const failingMax = 5;

export async function runMany(
  options: ManyOptions,
): Promise<{ totals: Totals; failing: Outcome[] }> {
  const { from, seeds, run } = options;
  const totals = options.totals ?? emptyTotals(from);
  const failing: Outcome[] = [];
  for (let seed = from; seed < from + seeds && failing.length < failingMax; seed++) {
    if (options.shouldStop?.()) break;
    const outcome = await run({ seed });
    const isSample = seed % repeatEvery === 0 || outcome.findings.length > 0;
    const judged = isSample ? await judgedTwice(outcome, run) : outcome;
    if (isSample) totals.repeated += 1;
    addOutcome(totals, judged);
    if (judged.findings.length > 0) failing.push(judged);
    options.onProgress?.({ totals, ofSeeds: seeds });
    // Runs never wait for the real world: let it in, so that signals are heard.
    await setImmediate();
  }
  return { totals, failing };
}

/** The outcome, and a finding more when the same seed does not lead to it again. */
async function judgedTwice(outcome: Outcome, run: Run): Promise<Outcome> {
  const { seed, hash } = outcome;
  const again = await run({ seed });
  if (again.hash === hash) return outcome;
  const detail = `run twice, its hash is ${hash} and ${again.hash}`;
  const finding = { rule: 'determinism', subject: `seed ${seed}`, detail };
  return { ...outcome, findings: [...outcome.findings, finding] };
}

/** Everything that a person needs of a seed that fails: what it broke, the story, the command. */
export async function reportFailure(
  failing: Outcome,
  options: RunOptions,
  run: Run,
): Promise<string> {
  const smaller = await shrink(failing, options, run);
  const told = await run({ ...smaller.options, tells: true });
  const { plan, faultPlan } = smaller.outcome;
  return [
    `Seed ${failing.seed} breaks:`,
    ...failing.findings.slice(0, 10).map(sentence),
    '',
    `The smallest run found that does (${smaller.runs} runs): ${plan.orders.length} orders, ${faultPlan.length} planned faults.`,
    '',
    ...told.story,
    '',
    ...told.findings.slice(0, 10).map(sentence),
    '',
    'To repeat it:',
    `  ${commandOf(smaller.options)}`,
  ].join('\n');
}

export function sentence({ rule, subject, detail }: Outcome['findings'][number]): string {
  return `  ${rule}  ${subject} ${detail}`;
}

export function summary(totals: Totals): string {
  const { seeds, orders, virtualHours, wallS, cpuS, failingSeeds, repeated } = totals;
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    `${count(seeds)} seeds`,
    `${count(faultsOf(totals))} faults`,
    `${count(orders)} orders`,
    `${count(Math.round(virtualHours))} virtual hours`,
    `${count(repeated)} run twice`,
    `${Math.round(wallS)} s (${Math.round(seeds / Math.max(0.001, cpuS))} seeds per CPU second)`,
    `${failingSeeds.length} violations`,
  ].join(' · ');
}
