export type { Answered, Outcome, Unanswered } from './load/connection.ts';
export { LatencyHistogram, type Percentiles } from './load/histogram.ts';
export {
  createLoadClient,
  type LoadClient,
  type LoadClientOptions,
  type RequestParts,
} from './load/load-client.ts';
export {
  closedLoop,
  type LoadOptions,
  type LoadReport,
  onSchedule,
  openLoop,
} from './load/loops.ts';
export { headerOf } from './load/response-parser.ts';
export { arrivalSchedule, type ScheduleOptions, type Shape } from './load/schedule.ts';
export type { PlannedFault } from './rush/fault-plan.ts';
export type { RushOptions } from './rush/options.ts';
export { type RushResult, runRush, type Watcher } from './rush/run-rush.ts';
