import { realEnvironment } from '@rushlight/chassis';
import type { EventOf } from '@rushlight/contracts';
import { describe } from 'vitest';
import { MemoryPaymentStore } from '../src/memory-store.ts';
import { createMemoryProvider } from '../src/provider/memory-provider.ts';
import { providerConformance } from './provider-conformance.ts';
import { paymentStoreConformance } from './store-conformance.ts';

describe('the store in memory', () => {
  paymentStoreConformance(async () => {
    const emitted: EventOf<'payment.decided'>[] = [];
    const store = new MemoryPaymentStore((_, events) => emitted.push(...events));
    return { store, emitted: async () => emitted };
  });
});

describe('the provider in memory', () => {
  providerConformance(async (nature) => createMemoryProvider(realEnvironment, nature));
});
