// The protocol of inventory without its process: what the simulation runs on time and chance of its
// own.

export { internalHandlers, publicHandlers } from './handlers.ts';
export { createMemoryStore, type Emit } from './memory-store.ts';
export { createReserveDesk } from './reserve-desk.ts';
export type { InventoryStore } from './store.ts';
export { startWork } from './work.ts';
