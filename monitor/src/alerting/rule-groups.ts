// All rules in the order in which they are evaluated, in groups with an interval each: what calls a
// person is judged every ten seconds, what can wait for the morning less often, and so are windows of
// days. A group may use what those before it record: selectors look back for five minutes.

import { alertRules } from '../alert-rules.ts';
import { latencyRules, recordingRules } from '../recording-rules.ts';
import type { AlertRule, Duration, RecordingRule } from '../rule-types.ts';
import { type BurnWindow, burnRates, sloAlertRules, sloRecordingRules } from '../slo-rules.ts';

export type NamedAlert = { readonly name: string; readonly rule: AlertRule };

export type RuleGroup = {
  readonly name: string;
  readonly interval: Duration;
  readonly recording: readonly RecordingRule[];
  readonly alerts: readonly NamedAlert[];
};

const quickWindows: readonly BurnWindow[] = ['5m', '30m', '1h'];
const slowWindows: readonly BurnWindow[] = ['2h', '6h', '1d', '3d'];

const named = (rules: Readonly<Record<string, AlertRule>>): NamedAlert[] =>
  Object.entries(rules).map(([name, rule]) => ({ name, rule }));

const isQuick = ({ name }: NamedAlert): boolean => name.endsWith(burnRates[0].suffix);

export const ruleGroups: readonly RuleGroup[] = [
  {
    name: 'rushlight',
    interval: '10s',
    recording: recordingRules,
    alerts: named(alertRules).filter(({ rule }) => rule.severity === 'page'),
  },
  {
    name: 'rushlight-tickets',
    interval: '30s',
    recording: latencyRules,
    alerts: named(alertRules).filter(({ rule }) => rule.severity === 'ticket'),
  },
  {
    name: 'rushlight-slo',
    interval: '1m',
    recording: quickWindows.flatMap(sloRecordingRules),
    alerts: named(sloAlertRules).filter(isQuick),
  },
  {
    name: 'rushlight-slo-slow',
    interval: '2m',
    recording: slowWindows.flatMap(sloRecordingRules),
    alerts: named(sloAlertRules).filter((alert) => !isQuick(alert)),
  },
];
