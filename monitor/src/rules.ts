// What is recorded and promised, for whoever draws it: nothing here reads or writes anything.

import { ruleGroups } from './alerting/rule-groups.ts';
import type { RecordingRule } from './rule-types.ts';

export { inhibitions } from './alerting/inhibitions.ts';
export { type ObjectiveName, objectiveNames, objectives } from './slo-objectives.ts';
export { burnRates, burnWindows, recorded as recordedObjective } from './slo-rules.ts';

/** In the order in which they are evaluated. */
export const recordingRules: readonly RecordingRule[] = ruleGroups.flatMap(
  ({ recording }) => recording,
);

/** The names of all alerts. */
export const alertNames: readonly string[] = ruleGroups.flatMap(({ alerts }) =>
  alerts.map(({ name }) => name),
);
