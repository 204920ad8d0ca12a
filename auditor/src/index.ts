export type * from './evidence.ts';
export type * from './history.ts';
