import { createMemoryBroker, type MemoryBus } from '../src/bus/index.ts';
import { realEnvironment as env } from '../src/environment.ts';
import { busConformance, conformancePolicy } from '../src/testing/index.ts';

busConformance('bus in memory', async () => {
  const broker = createMemoryBroker({ env, policy: conformancePolicy });
  return {
    connect: async () => broker.connect(),
    kill: async (bus) => (bus as MemoryBus).crash(),
    [Symbol.asyncDispose]: async () => {},
  };
});
