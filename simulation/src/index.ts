export { type Finding, type Outcome, type RunOptions, run } from './run.ts';
export type { Composition } from './shop/composition.ts';
