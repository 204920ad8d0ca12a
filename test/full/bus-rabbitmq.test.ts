import { type Bus, openRabbitBus, realEnvironment, silentLog } from '@rushlight/chassis';
import {
  busConformance,
  conformancePolicy,
  startTcpProxy,
  type TcpProxy,
} from '@rushlight/chassis/testing';
import { afterAll, beforeAll } from 'vitest';
import { startTestRabbitmq, type TestRabbitmq } from '../src/rabbitmq.ts';

let rabbitmq: TestRabbitmq;
beforeAll(async () => {
  rabbitmq = await startTestRabbitmq();
});
afterAll(() => rabbitmq?.[Symbol.asyncDispose]());

busConformance('bus on RabbitMQ', async () => {
  const url = rabbitmq.freshUrl();
  const proxies = new Map<Bus, TcpProxy>();
  return {
    connect: async () => {
      const proxy = await startTcpProxy(url);
      const bus = await openRabbitBus({
        url: proxy.through(url),
        name: `process-${proxies.size + 1}`,
        env: realEnvironment,
        log: silentLog,
        policy: conformancePolicy,
      });
      proxies.set(bus, proxy);
      return bus;
    },
    mayRepeat: true,
    kill: async (bus) => proxies.get(bus)?.setMode('refusing'),
    [Symbol.asyncDispose]: async () => {
      for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
    },
  };
});
