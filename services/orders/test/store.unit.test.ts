import { createMemoryLedger, realEnvironment } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import { MemoryOrderStore } from '../src/memory-store.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance('orders in memory', async () => {
  const ledger = createMemoryLedger({ env: realEnvironment });
  return {
    store: new MemoryOrderStore(ledger),
    said: async () => {
      const said: Message[] = [];
      await ledger.outbox.relay(1_000, async (messages) => void said.push(...messages));
      return said;
    },
  };
});
