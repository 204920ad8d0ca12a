import { expect, test } from 'vitest';
import { replicasOf, urlsOf } from '../src/replicas.ts';
import { readScale, smallScale } from '../src/scale.ts';

test('without any wish there is one of each, on the embedded Postgres', () => {
  expect(readScale({}, {})).toEqual({ scale: smallScale, mistakes: [] });
});

test('an option goes before its variable, and a URL needs no option', () => {
  const variables = {
    RUSHLIGHT_REPLICAS: 'orders=3',
    RUSHLIGHT_CACHE: 'redis',
    RUSHLIGHT_BUS_URL: 'amqps://shop:secret@broker/shop',
    RUSHLIGHT_POSTGRES_URL: 'postgres://root:secret@db:5432/postgres?sslmode=verify-full',
  };
  const { scale, mistakes } = readScale({ replicas: 'gateway=2, orders=2' }, variables);
  expect(mistakes).toEqual([]);
  expect(scale).toEqual({
    replicas: { gateway: 2, orders: 2 },
    bus: { url: variables.RUSHLIGHT_BUS_URL },
    cache: 'redis',
    postgres: { url: variables.RUSHLIGHT_POSTGRES_URL },
  });
});

test.each([
  [{ replicas: 'orders' }, {}, '--replicas: write SERVICE=COUNT'],
  [{ replicas: 'cooks=2' }, {}, '--replicas: there is no service cooks'],
  [{ replicas: 'orders=9' }, {}, '--replicas: orders must be 1 to 8, not 9'],
  [{ replicas: 'orders=0' }, {}, '--replicas: orders must be 1 to 8, not 0'],
  [{ replicas: 'orders=2,orders=3' }, {}, '--replicas: orders is given twice'],
  [{ bus: 'kafka' }, {}, '--bus: must be postgres or rabbitmq, not "kafka"'],
  [{}, { RUSHLIGHT_CACHE: 'disk' }, 'RUSHLIGHT_CACHE: must be memory or redis, not "disk"'],
  [{}, { RUSHLIGHT_BUS_URL: 'http://secret@x' }, 'RUSHLIGHT_BUS_URL: must be a URL that begins'],
  [{ cache: 'memory' }, { RUSHLIGHT_CACHE_URL: 'redis://x' }, '--cache: memory does without'],
])('%j with %j is a mistake that is told, without a secret', (given, variables, told) => {
  const { mistakes } = readScale(given, variables);
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toContain(told);
  expect(mistakes[0]).not.toContain('secret');
});

test('several processes of a service are parts of their own names', () => {
  const replicas = replicasOf({ replicas: { orders: 2 } }, true);
  const orders = replicas.filter(({ service }) => service === 'orders');
  expect(orders.map(({ part, instance }) => [part, instance])).toEqual([
    ['orders-1', 'orders-1'],
    ['orders-2', 'orders-2'],
  ]);
  expect(replicas.find(({ service }) => service === 'kitchen')).toMatchObject({
    ...{ part: 'kitchen', instance: 'kitchen-1' },
  });
  const urls = urlsOf(replicas, (part) => `http://${part}`);
  expect(urls).toMatchObject({
    ...{ orders: ['http://orders-1', 'http://orders-2'], kitchen: 'http://kitchen' },
  });
});
