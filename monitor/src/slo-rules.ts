// Rules made of the objectives: what is recorded of each, and when its budget burns too fast.
//
// The alerts are "Multiwindow, Multi-Burn-Rate Alerts" of Google's "The Site Reliability Workbook",
// chapter 5, "Alerting on SLOs" (https://sre.google/workbook/alerting-on-slos/): a burn rate of 1
// spends the budget of 30 days in 30 days. The long window says that a notable share of the budget
// is gone (14.4 × 1 h = 2 %, 6 × 6 h = 5 %, 3 × 1 d = 10 %, 1 × 3 d = 10 %), the short one, a twelfth
// of it, that it is still burning; so the alert ends soon after its cause.
//
// O1. In an hour with few orders one failure is a large ratio ("Low-Traffic Services" in the same
//     chapter): an alert needs at least `badMin` bad events in its long window.
// O2. A window without any event has no ratio (0 / 0 is NaN), and no alert.

import { type AlertRule, type Duration, durationMs, type RecordingRule } from './rule-types.ts';
import { type Objective, objectives } from './slo-objectives.ts';

export const burnRates = [
  { factor: 14.4, long: '1h', short: '5m', severity: 'page', suffix: '14x' },
  { factor: 6, long: '6h', short: '30m', severity: 'page', suffix: '6x' },
  { factor: 3, long: '1d', short: '2h', severity: 'ticket', suffix: '3x' },
  { factor: 1, long: '3d', short: '6h', severity: 'ticket', suffix: '1x' },
] as const;

export const burnWindows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;
export type BurnWindow = (typeof burnWindows)[number];

const badMin = 5;

/** Names under which a window of an objective is recorded, as selectors. */
export function recorded(objective: string, window: Duration) {
  const selector = `{slo="${objective}"}`;
  return {
    errors: `slo:errors:rate${window}${selector}`,
    events: `slo:events:rate${window}${selector}`,
    ratio: `slo:error_ratio:rate${window}${selector}`,
  };
}

/** The rates of bad events and of all, and their ratio, of every objective over this window. */
export function sloRecordingRules(window: BurnWindow): RecordingRule[] {
  return Object.entries<Objective>(objectives).flatMap(([slo, objective]) => {
    const names = recorded(slo, window);
    const labels = { slo };
    return [
      { record: nameOf(names.errors), labels, expr: objective.errors(window) },
      { record: nameOf(names.events), labels, expr: objective.events(window) },
      { record: nameOf(names.ratio), labels, expr: `${names.errors} / ${names.events}` },
    ];
  });
}

/** The four burn-rate alerts of every objective, by name. */
export const sloAlertRules: Readonly<Record<string, AlertRule>> = Object.fromEntries(
  Object.entries<Objective>(objectives).flatMap(([slo, objective]) =>
    burnRates.map((rate) => [`${objective.alert}${rate.suffix}`, burnRule(slo, objective, rate)]),
  ),
);

function burnRule(
  slo: string,
  objective: Objective,
  { factor, long, short, severity }: (typeof burnRates)[number],
): AlertRule {
  const ratioMax = Number((factor * (1 - objective.target)).toPrecision(6));
  const longS = durationMs(long) / 1_000;
  const spent = (factor * durationMs(long)) / (objective.windowDays * durationMs('1d'));
  return {
    expr:
      `${recorded(slo, long).ratio} > ${ratioMax} ` +
      `and ${recorded(slo, short).ratio} > ${ratioMax} ` +
      `and ${recorded(slo, long).errors} * ${longS} >= ${badMin}`,
    for: '0s',
    severity,
    owner: objective.owner,
    summary: `${objective.title}: {{ $value | humanizePercentage }} did not over ${long}`,
    description:
      `${objective.promise} The error budget burns at more than ${factor} times the rate that it ` +
      `lasts for: ${Math.round(spent * 100)} % of the budget of ${objective.windowDays} days are ` +
      `gone within ${long}, and over the last ${short} it goes on.`,
    runbook: objective.alert,
    labels: { slo, window: long },
  };
}

function nameOf(selector: string): string {
  return selector.slice(0, selector.indexOf('{'));
}
