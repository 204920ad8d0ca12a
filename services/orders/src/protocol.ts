// The order protocol without its process: what the simulation runs on time and chance of its own.

export { createHandlers, routes } from './handlers.ts';
export { MemoryOrderStore } from './memory-store.ts';
export { createNeighbours } from './neighbours.ts';
export { createPriceList } from './prices.ts';
export type { Move, OrderStore, StoredOrder } from './store.ts';
export { startWork } from './work.ts';
