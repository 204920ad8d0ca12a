export type {
  BatchHandler,
  BatchOptions,
  Bus,
  ConsumeOptions,
  DeadLetters,
  MessageHandler,
  Subscription,
} from './bus.ts';
export { type DeliveryPolicy, defaultDeliveryPolicy, derivedId } from './delivery.ts';
export type { BusHooks, ConsumeOutcome } from './hooks.ts';
export {
  createMemoryBroker,
  type MemoryBroker,
  type MemoryBrokerOptions,
  type MemoryBus,
} from './memory-bus.ts';
export { openPostgresBus, type PostgresBusOptions } from './postgres-bus.ts';
export { openRabbitBus, type RabbitBusOptions } from './rabbit/rabbit-bus.ts';
