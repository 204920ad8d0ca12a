import { createMemoryLedger, realEnvironment } from '@rushlight/chassis';
import { MemoryStreamStore } from '../src/memory-store.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance(
  'the stream in memory',
  async () => new MemoryStreamStore(createMemoryLedger({ env: realEnvironment })),
);
