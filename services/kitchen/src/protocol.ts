// The protocol of the kitchen without its process: what the simulation runs on time and chance of its
// own.

export { MemoryKitchenStore } from './memory-store.ts';
export { kitchenHandlers, kitchenRoutes } from './routes.ts';
export type { KitchenStore } from './store.ts';
export { type KitchenPlan, startWork } from './work.ts';
