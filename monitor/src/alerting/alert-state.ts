// The life of an alert, as Prometheus has it (rules/alerting.go, v2.42):
//
//   inactive → pending → firing → resolved
//
// J1. An alert is one series of a rule's answer; its identity is its labels with those of the rule.
//     It is pending from the first answer that has it, and fires when it was in every one for `for`.
// J2. A pending alert that is missing from an answer is forgotten. A firing one is resolved.
// J3. The value and the sentences follow the latest answer; the instants do not.
// J4. No answer (the expression failed) changes nothing: the caller does not call.

import type { Labels } from '../model.ts';
import { durationMs } from '../rule-types.ts';
import { annotations, ownLabels } from './prometheus-files.ts';
import type { NamedAlert } from './rule-groups.ts';

export type ActiveAlert = {
  /** Of the series and of the rule, `alertname` included. */
  labels: Labels;
  value: number;
  annotations: Labels;
  /** Since when the condition holds. */
  sinceMs: number;
} & ({ status: 'pending' } | { status: 'firing'; firedAtMs: number });

export type FiringAlert = Extract<ActiveAlert, { status: 'firing' }>;

export type AlertChange =
  | { kind: 'fired'; alert: FiringAlert }
  | { kind: 'resolved'; alert: FiringAlert; atMs: number };

/** More series than this in one answer is a mistake in the rule. */
export const alertsPerRuleMax = 500;

/**
 * Moves the alerts of one rule on.
 *
 * @param active its alerts after the evaluation before
 * @param answer what its expression gave at `nowMs`
 * @throws Error when two series become one alert, or there are more than `alertsPerRuleMax`
 */
export function judge(
  { name, rule }: NamedAlert,
  active: readonly ActiveAlert[],
  answer: readonly { labels: Labels; value: number }[],
  nowMs: number,
): { active: ActiveAlert[]; changes: AlertChange[] } {
  if (answer.length > alertsPerRuleMax) {
    throw new Error(
      `${name} has ${answer.length} alerts, at most ${alertsPerRuleMax} are kept: ` +
        'aggregate its expression by fewer labels',
    );
  }
  const before = new Map(active.map((alert) => [alertKey(alert.labels), alert]));
  const now = new Map<string, ActiveAlert>();
  const changes: AlertChange[] = [];
  for (const { labels: series, value } of answer) {
    const { __name__: _, ...rest } = series;
    const labels = { ...rest, ...ownLabels(rule), alertname: name };
    const key = alertKey(labels);
    if (now.has(key)) throw new Error(`${name} has two series with the labels ${key}`);
    const known = before.get(key);
    // A clock that was set back would make it wait for so long again.
    const sinceMs = Math.min(known?.sinceMs ?? nowMs, nowMs);
    const facts = { labels, value, annotations: annotations(rule, labels, value), sinceMs };
    if (known?.status === 'firing') {
      now.set(key, { ...facts, status: 'firing', firedAtMs: known.firedAtMs });
    } else if (nowMs - sinceMs >= durationMs(rule.for)) {
      const alert: FiringAlert = { ...facts, status: 'firing', firedAtMs: nowMs };
      now.set(key, alert);
      changes.push({ kind: 'fired', alert });
    } else {
      now.set(key, { ...facts, status: 'pending' });
    }
  }
  for (const [key, alert] of before) {
    if (alert.status === 'firing' && !now.has(key)) {
      changes.push({ kind: 'resolved', alert, atMs: nowMs });
    }
  }
  return { active: [...now.values()], changes };
}

/** The identity of an alert, or of any label set: the same whatever the order of its labels. */
export function alertKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
