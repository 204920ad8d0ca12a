// The protocol of payments without its process: what the simulation runs on time and chance of its
// own.

export { Driver } from './driver.ts';
export { MemoryPaymentStore } from './memory-store.ts';
export { orderIdOf } from './payment.ts';
export { createMemoryProvider } from './provider/memory-provider.ts';
export { goodNatured } from './provider/nature.ts';
export type { CardProvider } from './provider/provider.ts';
export { reconcile } from './reconcile.ts';
export { paymentHandlers, paymentRoutes } from './routes.ts';
export type { PaymentStore } from './store.ts';
export { startWork } from './work.ts';
