import { metricsUnderTest } from '@rushlight/chassis/testing';
import { createMemoryStore, type Emit } from '../src/memory-store.ts';
import { countChanges } from '../src/stock-counts.ts';
import { type Emitted, storeConformance } from './store-conformance.ts';

storeConformance('inventory in memory', async (nowMs) => {
  const emitted: Emitted[] = [];
  const { metrics, sum } = metricsUnderTest('inventory');
  const emit: Emit = (topic, events) => emitted.push({ topic, events });
  return {
    store: createMemoryStore(emit, nowMs, countChanges(metrics)),
    counted: sum,
    emitted: async () => emitted.splice(0).sort((a, b) => a.topic.localeCompare(b.topic)),
    close: async () => undefined,
  };
});
