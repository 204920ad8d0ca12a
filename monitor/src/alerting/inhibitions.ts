// Alerts that say nothing new while another one fires: they are shown, and not sent.
//
// Whoever is down answers slowly, with errors, or not at all; and a budget that burns at 14.4 times
// its rate burns at six times, too.

import type { Labels } from '../model.ts';
import { type Objective, objectives } from '../slo-objectives.ts';
import { burnRates } from '../slo-rules.ts';

export type Inhibition = {
  /** While this alert fires … */
  readonly source: string;
  /** … these are not sent, … */
  readonly targets: readonly string[];
  /** … where they agree in these labels. */
  readonly equal: readonly string[];
};

export const inhibitions: readonly Inhibition[] = [
  {
    source: 'ServiceDown',
    targets: ['HighErrorRate', 'HighLatency', 'EventLoopBlocked', 'HighCPU', 'NoTelemetry'],
    equal: ['service'],
  },
  ...Object.values<Objective>(objectives).flatMap(({ alert }) =>
    burnRates.slice(0, -1).map(({ suffix }, index) => ({
      source: `${alert}${suffix}`,
      targets: burnRates.slice(index + 1).map((slower) => `${alert}${slower.suffix}`),
      equal: ['slo'],
    })),
  ),
];

/** The name of the alert that makes this one needless, if one does. */
export function inhibitedBy(labels: Labels, firing: readonly Labels[]): string | undefined {
  const name = labels['alertname'] ?? '';
  return inhibitions.find(
    ({ source, targets, equal }) =>
      targets.includes(name) &&
      firing.some(
        (other) =>
          other['alertname'] === source && equal.every((label) => other[label] === labels[label]),
      ),
  )?.source;
}
