// How the shop is put together, where a test puts it together differently: each is handed the real
// part and gives back the part to use. Nothing is replaced unless a test says so.

import type { BatchHandler, Client, Environment, MemoryLedger } from '@rushlight/chassis';
import type { Message, QueueName } from '@rushlight/contracts';
import type { InventoryStore } from '@rushlight/inventory/protocol';
import type { OrderStore } from '@rushlight/orders/protocol';
import type { CardProvider, PaymentStore } from '@rushlight/payments/protocol';
import type { SimServiceName } from './process-names.ts';

/** A process as it lives now; what is asked of one that died never happens. */
export type Living = {
  env: () => Environment;
  publish: (messages: readonly Message[]) => Promise<void>;
};

export type Composition = {
  environment?: (service: SimServiceName, env: Environment) => Environment;
  /** Kept for the whole run, like the tables behind it. */
  ledger?: (service: SimServiceName, ledger: MemoryLedger, living: Living) => MemoryLedger;
  handler?: (queue: QueueName, handle: BatchHandler) => BatchHandler;
  orderStore?: (store: OrderStore, ledger: MemoryLedger, env: Environment) => OrderStore;
  inventoryStore?: (store: InventoryStore, env: Environment) => InventoryStore;
  paymentStore?: (store: PaymentStore, env: Environment) => PaymentStore;
  provider?: (provider: CardProvider) => CardProvider;
  /** The gateway's way to orders. */
  ordersClient?: (client: Client) => Client;
};
