import { createMemoryStore } from '../src/memory-store.ts';
import { type Emitted, storeConformance } from './store-conformance.ts';

storeConformance('inventory in memory', async (nowMs) => {
  const emitted: Emitted[] = [];
  return {
    store: createMemoryStore((topic, events) => emitted.push({ topic, events }), nowMs),
    emitted: async () => emitted.splice(0).sort((a, b) => a.topic.localeCompare(b.topic)),
    close: async () => undefined,
  };
});
