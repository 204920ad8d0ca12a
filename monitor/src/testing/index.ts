export { alertHour } from './alert-hour.ts';
export { memoryLogs } from './memory-logs.ts';
export { everyMs, type MemorySeries, memorySeries } from './memory-series.ts';
