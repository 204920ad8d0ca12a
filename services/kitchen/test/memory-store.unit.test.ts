import { describe } from 'vitest';
import { MemoryKitchenStore } from '../src/memory-store.ts';
import type { TicketChange } from '../src/store.ts';
import { kitchenStoreConformance } from './store-conformance.ts';

describe('memory', () => {
  kitchenStoreConformance(async () => {
    const emitted: TicketChange[] = [];
    const store = new MemoryKitchenStore((_, changes) => emitted.push(...changes));
    return { store, emitted: async () => emitted, [Symbol.asyncDispose]: async () => {} };
  });
});
