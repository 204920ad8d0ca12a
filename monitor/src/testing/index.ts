export { everyMs, type MemorySeries, memorySeries } from './memory-series.ts';
