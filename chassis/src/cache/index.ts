export * from './cache.ts';
export * from './memory-cache.ts';
