// Evaluates the rules and holds what is active. It knows no notifier and no disk.
//
// Q1. A group asks one question at a time, and each may take `answerMsMax` at most: alerts never
//     crowd out the monitor's other work.
// Q2. A rule that fails changes no alert, keeps its error, and stops no other.
// Q3. The rules of a group are asked for the same instant, the recording ones first.

import type { Environment } from '@rushlight/chassis';
import type { Labels, Sample } from '../model.ts';
import type { RecordingRule } from '../rule-types.ts';
import { type ActiveAlert, type AlertChange, type FiringAlert, judge } from './alert-state.ts';
import type { RecordedSeries } from './recorded-series.ts';
import type { RuleGroup } from './rule-groups.ts';

/** Asks a PromQL expression for one instant; it ends with the signal. */
export type Evaluate = (
  expr: string,
  atMs: number,
  signal?: AbortSignal,
) => Promise<readonly { labels: Labels; value: number }[]>;

export type RuleHealth =
  | { state: 'unknown' }
  | { state: 'ok'; atMs: number; tookMs: number }
  | { state: 'failing'; atMs: number; error: string };

export type RuleRunnerOptions = {
  groups: readonly RuleGroup[];
  evaluate: Evaluate;
  /** Where recording rules leave their answers; `evaluate` reads them from there. */
  recorded: RecordedSeries;
  env: Pick<Environment, 'monotonicMs' | 'after'>;
};

const answerMsMax = 10_000;

export class RuleRunner {
  readonly #options: RuleRunnerOptions;
  readonly #active = new Map<string, ActiveAlert[]>();
  readonly #health = new Map<string, RuleHealth>();

  constructor(options: RuleRunnerOptions, active: Readonly<Record<string, ActiveAlert[]>> = {}) {
    this.#options = options;
    const known = options.groups.flatMap(({ alerts }) => alerts.map(({ name }) => name));
    for (const name of known) this.#active.set(name, active[name] ?? []);
  }

  /** Evaluates a group. Returns what changed, and what was recorded. */
  async run(
    group: RuleGroup,
    atMs: number,
    stopped?: AbortSignal,
  ): Promise<{ changes: AlertChange[]; samples: Sample[] }> {
    const changes: AlertChange[] = [];
    const samples: Sample[] = [];
    for (const rule of group.recording) samples.push(...(await this.#record(rule, atMs, stopped)));
    for (const alert of group.alerts) {
      const { name, rule } = alert;
      await this.#ask(name, rule.expr, atMs, stopped, (answer) => {
        const judged = judge(alert, this.active(name), answer, atMs);
        this.#active.set(name, judged.active);
        changes.push(...judged.changes);
      });
    }
    return { changes, samples };
  }

  active(name: string): readonly ActiveAlert[] {
    return this.#active.get(name) ?? [];
  }

  allActive(): Record<string, ActiveAlert[]> {
    return Object.fromEntries([...this.#active].filter(([, alerts]) => alerts.length > 0));
  }

  firing(): FiringAlert[] {
    return [...this.#active.values()]
      .flat()
      .filter((alert): alert is FiringAlert => alert.status === 'firing');
  }

  health(name: string): RuleHealth {
    return this.#health.get(name) ?? { state: 'unknown' };
  }

  async #record(rule: RecordingRule, atMs: number, stopped?: AbortSignal): Promise<Sample[]> {
    const { recorded } = this.#options;
    let samples: Sample[] = [];
    await this.#ask(rule.record, rule.expr, atMs, stopped, (answer) => {
      samples = recorded.put(rule, answer, atMs);
    });
    return samples;
  }

  /** Q2: an error of the expression, or of what is made of its answer, is the rule's. */
  async #ask(
    name: string,
    expr: string,
    atMs: number,
    stopped: AbortSignal | undefined,
    take: (answer: readonly { labels: Labels; value: number }[]) => void,
  ): Promise<void> {
    if (stopped?.aborted) return;
    const { env } = this.#options;
    const startedMs = env.monotonicMs();
    try {
      take(await this.#answer(expr, atMs, stopped));
      this.#health.set(name, { state: 'ok', atMs, tookMs: env.monotonicMs() - startedMs });
    } catch (error) {
      if (stopped?.aborted) return;
      this.#health.set(name, { state: 'failing', atMs, error: (error as Error).message });
    }
  }

  async #answer(expr: string, atMs: number, stopped?: AbortSignal) {
    const { env, evaluate } = this.#options;
    const end = new AbortController();
    const gaveUp = Promise.withResolvers<never>();
    const giveUp = (why: string) => (): void => {
      const error = new Error(`${expr}: ${why}`);
      end.abort(error);
      gaveUp.reject(error);
    };
    const cancel = env.after(answerMsMax, giveUp(`no answer in ${answerMsMax} ms`));
    const onStop = giveUp('the monitor stops');
    stopped?.addEventListener('abort', onStop);
    try {
      return await Promise.race([evaluate(expr, atMs, end.signal), gaveUp.promise]);
    } finally {
      stopped?.removeEventListener('abort', onStop);
      cancel();
    }
  }
}
