// What every bus promises, on a real RabbitMQ. Each test has a virtual host of its own.

import { type Bus, openRabbitBus, realEnvironment, silentLog } from '@rushlight/chassis';
import {
  busConformance,
  conformancePolicy,
  startTcpProxy,
  type TcpProxy,
} from '@rushlight/chassis/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { rabbitmqMissing, startTestRabbitmq, type TestRabbitmq } from '../src/rabbitmq.ts';
import { report } from '../src/report.ts';

const missing = rabbitmqMissing();
if (missing !== undefined) report(`the bus on RabbitMQ: not run, because ${missing}`);

describe.skipIf(missing !== undefined)('with a real broker', () => {
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
      kill: async (bus) => proxies.get(bus)?.setMode('refusing'),
      mayRepeat: true,
      [Symbol.asyncDispose]: async () => {
        for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
      },
    };
  });
});
