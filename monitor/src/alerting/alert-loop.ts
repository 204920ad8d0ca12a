// The alerts of the monitor at work: rules are evaluated, notifiers told, state kept.
//
// L1. Nothing that a rule, a notifier or the disk does ends the loop.
// L2. Decisions are in alert-state.ts and notification-plan.ts; here are only the effects.
// L3. Groups go on beside each other, and notifiers are told beside them: a slow one of either
//     delays no other.

import type { Environment, Log } from '@rushlight/chassis';
import type { Sample } from '../model.ts';
import { durationMs } from '../rule-types.ts';
import type { AlertChange, FiringAlert } from './alert-state.ts';
import { type AlertsReport, reportOf } from './alerts-report.ts';
import { inhibitedBy } from './inhibitions.ts';
import type { Episode, Keeper, KeptState } from './kept-state.ts';
import type { Pace } from './notification-plan.ts';
import type { Notifier } from './notifier.ts';
import { Receiver } from './receiver.ts';
import type { RecordedSeries } from './recorded-series.ts';
import { type RuleGroup, ruleGroups } from './rule-groups.ts';
import { type Evaluate, RuleRunner } from './rule-runner.ts';
import {
  addSilence,
  currentSilences,
  type NewSilence,
  type Silence,
  silencedBy,
} from './silences.ts';

export type AlertingOptions = {
  /** Its source is `recorded.over(store)`. */
  evaluate: Evaluate;
  recorded: RecordedSeries;
  /** Writes down what the recording rules gave, for dashboards and budgets. */
  record?: (samples: readonly Sample[]) => void;
  env: Environment;
  log: Log;
  notifiers: readonly Notifier[];
  keeper: Keeper;
  /** Where people look at alerts; stands in messages. */
  link?: string;
  repeatMs?: number;
  groups?: readonly RuleGroup[];
};

export interface Alerting {
  report(): AlertsReport;
  /** @throws SilenceError */
  silence(wanted: NewSilence): Silence;
  /** False when there is no such silence. */
  endSilence(id: string): boolean;
  close(): Promise<void>;
}

const tickMs = 1_000;
/** The first scrapes come first: a part that has not been asked yet is not down. */
const firstMs = 15_000;
const keepEveryMs = 30_000;
const historyMax = 500;
const pace: Omit<Pace, 'repeatMs'> = { waitMs: 10_000, changeMs: 60_000 };
const repeatMsDefault = 4 * 3_600_000;

/** Takes up what was kept, and begins. */
export async function startAlerting(options: AlertingOptions): Promise<Alerting> {
  const { env, keeper } = options;
  const loop = new AlertLoop(options, await keeper.read(env.nowMs()));
  const running = loop.run();
  return {
    report: () => loop.report(),
    silence: (wanted) => loop.silence(wanted),
    endSilence: (id) => loop.endSilence(id),
    close: async () => {
      loop.stop();
      await running;
    },
  };
}

class AlertLoop {
  readonly #options: AlertingOptions;
  readonly #groups: readonly RuleGroup[];
  readonly #runner: RuleRunner;
  readonly #receivers: Receiver[];
  readonly #stop = new AbortController();
  #history: Episode[];
  #silences: Silence[];
  #telling: Promise<void> | undefined;
  #keepDueMs = Number.NEGATIVE_INFINITY;
  #isKeepFailing = false;

  constructor(options: AlertingOptions, kept: KeptState) {
    this.#options = options;
    this.#groups = options.groups ?? ruleGroups;
    this.#runner = new RuleRunner({ ...options, groups: this.#groups }, kept.active);
    this.#history = kept.history.slice(-historyMax);
    this.#silences = kept.silences;
    const { log, link } = options;
    const paceOfAll = { ...pace, repeatMs: options.repeatMs ?? repeatMsDefault };
    this.#receivers = options.notifiers.map(
      (notifier) =>
        new Receiver(notifier, { log, link, pace: paceOfAll, memory: kept.memory[notifier.name] }),
    );
  }

  async run(): Promise<void> {
    const { signal } = this.#stop;
    await this.#pause(firstMs);
    // Once in their order: a group may use what those before it record.
    for (const group of this.#groups) {
      if (!signal.aborted) await this.#evaluate(group);
    }
    const loops = this.#groups.map(async (group) => {
      while (await this.#pause(durationMs(group.interval))) await this.#evaluate(group);
    });
    while (await this.#pause(tickMs)) await this.#tellAndKeep();
    await Promise.all(loops);
    await this.#telling;
    await this.#keep();
  }

  stop(): void {
    this.#stop.abort();
    for (const { notifier } of this.#receivers) notifier.close();
  }

  report(): AlertsReport {
    const nowMs = this.#options.env.nowMs();
    return reportOf({
      groups: this.#groups,
      runner: this.#runner,
      history: this.#history,
      silences: currentSilences(this.#silences, nowMs),
      notifiers: this.#receivers.map(({ notifier, status }) => ({ name: notifier.name, status })),
      nowMs,
    });
  }

  silence(wanted: NewSilence): Silence {
    const { env } = this.#options;
    const made = { id: env.newId(), nowMs: env.nowMs() };
    this.#silences = addSilence(this.#silences, wanted, made);
    this.#keepDueMs = Number.NEGATIVE_INFINITY;
    return this.#silences.at(-1) as Silence;
  }

  endSilence(id: string): boolean {
    const left = this.#silences.filter((silence) => silence.id !== id);
    const isKnown = left.length < this.#silences.length;
    this.#silences = left;
    this.#keepDueMs = Number.NEGATIVE_INFINITY;
    return isKnown;
  }

  /** False when the loop ends. */
  async #pause(forMs: number): Promise<boolean> {
    await this.#options.env.sleep(forMs, this.#stop.signal).catch(() => undefined);
    return !this.#stop.signal.aborted;
  }

  async #evaluate(group: RuleGroup): Promise<void> {
    const { env, log, record } = this.#options;
    try {
      const { changes, samples } = await this.#runner.run(group, env.nowMs(), this.#stop.signal);
      for (const change of changes) this.#note(change);
      if (changes.length > 0) this.#keepDueMs = Number.NEGATIVE_INFINITY;
      if (samples.length > 0) record?.(samples);
    } catch (error) {
      log.error({ group: group.name, error }, 'alerts: a group was not evaluated to its end');
    }
  }

  async #tellAndKeep(): Promise<void> {
    const { env } = this.#options;
    this.#tell(env.nowMs());
    if (env.monotonicMs() >= this.#keepDueMs) await this.#keep();
  }

  #note(change: AlertChange): void {
    const { log } = this.#options;
    const { status: _, ...alert } = change.alert;
    const { labels, annotations } = alert;
    const facts = { alert: labels['alertname'], summary: annotations['summary'], labels };
    switch (change.kind) {
      case 'fired':
        log.warn(facts, 'an alert fires');
        break;
      case 'resolved':
        log.info(facts, 'an alert is resolved');
        this.#history.push({ ...alert, resolvedAtMs: change.atMs });
        if (this.#history.length > historyMax) this.#history.shift();
        break;
    }
  }

  /** One round at a time (L3); a round that goes on is not joined by another. */
  #tell(nowMs: number): void {
    if (this.#telling !== undefined || this.#receivers.length === 0) return;
    const firing = this.#runner.firing();
    const labels = firing.map((alert) => alert.labels);
    const isHeld = (alert: FiringAlert): boolean =>
      silencedBy(alert.labels, this.#silences, nowMs) !== undefined ||
      inhibitedBy(alert.labels, labels) !== undefined;
    const round = this.#receivers.map((receiver) => receiver.tell(firing, isHeld, nowMs));
    this.#telling = Promise.all(round).then(() => {
      this.#telling = undefined;
    });
  }

  async #keep(): Promise<void> {
    const { env, keeper, log } = this.#options;
    const nowMs = env.nowMs();
    this.#keepDueMs = env.monotonicMs() + keepEveryMs;
    this.#silences = currentSilences(this.#silences, nowMs);
    const memory = this.#receivers.map(({ notifier, memory: told }) => [notifier.name, told]);
    try {
      await keeper.write({
        atMs: nowMs,
        active: this.#runner.allActive(),
        memory: Object.fromEntries(memory),
        history: this.#history,
        silences: this.#silences,
      });
      this.#isKeepFailing = false;
    } catch (error) {
      if (!this.#isKeepFailing) log.warn({ error }, 'alerts are not kept; tried again');
      this.#isKeepFailing = true;
    }
  }
}
