export {
  badCounts,
  type Certificate,
  certificate,
  type Percentiles,
  type Run,
} from './certificate.ts';
export { check, violationsMax } from './check.ts';
export type * from './evidence.ts';
export type * from './history.ts';
export { type InvariantSpec, invariants } from './invariants.ts';
export { type Recorder, type RecorderOptions, readHistory, startRecorder } from './recorder.ts';
export type * from './verdict.ts';
