// The protocol of notifications without its process: what the simulation runs on time and chance of
// its own.

export { MemoryStreamStore } from './memory-store.ts';
export type { StreamStore } from './store.ts';
export { type Sink, Streams } from './streams.ts';
export { startWork } from './work.ts';
