export * from './cache.ts';
export * from './memory-cache.ts';
export * from './redis-cache.ts';
export * from './shared-reading.ts';
export * from './steady-cache.ts';
