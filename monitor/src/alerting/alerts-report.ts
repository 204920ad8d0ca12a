// What /api/alerts answers: everything about alerts that a person or a program may want to see now.

import type { Labels } from '../model.ts';
import type { Duration, Owner, Severity } from '../rule-types.ts';
import type { ActiveAlert } from './alert-state.ts';
import { inhibitedBy } from './inhibitions.ts';
import type { Episode } from './kept-state.ts';
import { runbookPath } from './prometheus-files.ts';
import type { ReceiverStatus } from './receiver.ts';
import type { RuleGroup } from './rule-groups.ts';
import type { RuleHealth, RuleRunner } from './rule-runner.ts';
import { type Silence, silencedBy } from './silences.ts';

export type AlertView = {
  alert: string;
  status: 'pending' | 'firing';
  labels: Labels;
  summary: string;
  description: string;
  runbook: string;
  /** Null where the value is no number that JSON has. */
  value: number | null;
  sinceMs: number;
  firedAtMs: number | null;
  /** The id of a silence that covers it. */
  silencedBy: string | null;
  /** The alert that makes it needless. */
  inhibitedBy: string | null;
};

export type RuleView = {
  alert: string;
  expr: string;
  for: Duration;
  severity: Severity;
  owner: Owner;
  runbook: string;
  state: 'inactive' | 'pending' | 'firing';
  health: RuleHealth;
};

export type AlertsReport = {
  /** Firing ones first, then the newest first. */
  alerts: AlertView[];
  rules: RuleView[];
  /** The newest first. */
  history: Episode[];
  silences: Silence[];
  notifiers: { name: string; status: ReceiverStatus }[];
};

export function reportOf(parts: {
  groups: readonly RuleGroup[];
  runner: Pick<RuleRunner, 'active' | 'firing' | 'health'>;
  history: readonly Episode[];
  silences: readonly Silence[];
  notifiers: AlertsReport['notifiers'];
  nowMs: number;
}): AlertsReport {
  const { groups, runner, silences, nowMs } = parts;
  const rules = groups.flatMap(({ alerts }) => alerts);
  const firing = runner.firing().map(({ labels }) => labels);
  const alerts = rules
    .flatMap(({ name }) => runner.active(name))
    .map((alert) => viewOf(alert, silences, firing, nowMs))
    .sort((a, b) => rank(a) - rank(b) || b.sinceMs - a.sinceMs);
  return {
    alerts,
    rules: rules.map(({ name, rule }) => ({
      alert: name,
      expr: rule.expr,
      for: rule.for,
      severity: rule.severity,
      owner: rule.owner,
      runbook: runbookPath(rule),
      state: stateOf(runner.active(name)),
      health: runner.health(name),
    })),
    history: parts.history.toReversed(),
    silences: [...silences],
    notifiers: parts.notifiers,
  };
}

function viewOf(
  alert: ActiveAlert,
  silences: readonly Silence[],
  firing: readonly Labels[],
  nowMs: number,
): AlertView {
  const { labels, annotations, value } = alert;
  return {
    alert: labels['alertname'] ?? '',
    status: alert.status,
    labels,
    summary: annotations['summary'] ?? '',
    description: annotations['description'] ?? '',
    runbook: annotations['runbook'] ?? '',
    value: Number.isFinite(value) ? value : null,
    sinceMs: alert.sinceMs,
    firedAtMs: alert.status === 'firing' ? alert.firedAtMs : null,
    silencedBy: silencedBy(labels, silences, nowMs)?.id ?? null,
    inhibitedBy: inhibitedBy(labels, firing) ?? null,
  };
}

function rank({ status }: AlertView): number {
  return status === 'firing' ? 0 : 1;
}

function stateOf(active: readonly ActiveAlert[]): RuleView['state'] {
  if (active.some(({ status }) => status === 'firing')) return 'firing';
  return active.length > 0 ? 'pending' : 'inactive';
}
