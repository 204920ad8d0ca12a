import { describe, expect, test } from 'vitest';
import { Clock } from '../src/scale-model/clock.ts';
import { type Cost, costAt, fitCost, type ShopCosts } from '../src/scale-model/costs.ts';
import { Machine, Thread } from '../src/scale-model/machine.ts';
import { type PredictOptions, predict } from '../src/scale-model/predict.ts';
import { Batcher, Lock, Log } from '../src/scale-model/waiting.ts';

const cost = (orderUs: number, batchUs = 0): Cost => ({ orderUs, batchUs });
const all = (one: Cost) => ({
  ...{ orders: one, inventory: one, payments: one, kitchen: one, notifications: one },
});
const free: ShopCosts = {
  ...{ client: cost(0), gateway: cost(0), bus: cost(0), others: cost(0), commitUs: 0 },
  services: all(cost(0)),
  databases: all(cost(0)),
};
/** Like those that are measured. */
const real: ShopCosts = {
  client: cost(36),
  gateway: cost(85, 700),
  services: {
    orders: cost(70, 500),
    inventory: cost(30, 400),
    payments: cost(30, 400),
    kitchen: cost(25, 500),
    notifications: cost(40, 400),
  },
  databases: {
    orders: cost(35, 400),
    inventory: cost(15, 400),
    payments: cost(35, 300),
    kitchen: cost(12, 300),
    notifications: cost(30, 300),
  },
  bus: cost(20, 400),
  others: cost(10),
  commitUs: 400,
};
const asked: PredictOptions = {
  ...{ costs: real, replicas: {}, cores: 2, clients: 128, items: 19, seed: 1 },
  ...{ warmUpS: 0.2, measureS: 0.4 },
};
const each = (count: number) =>
  Object.fromEntries(
    [...Object.keys(real.services), 'gateway'].map((name) => [name, count] as const),
  );

describe('a clock', () => {
  test('what is due first happens first, and at once in the order of asking', () => {
    const clock = new Clock();
    const told: string[] = [];
    for (const [name, us] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 40],
    ] as const) {
      clock.after(us, () => told.push(`${name} at ${clock.nowUs}`));
    }
    clock.runUntil(35);
    expect(told).toEqual(['a at 10', 'b at 10', 'c at 30']);
    expect(clock.nowUs).toBe(35);
  });

  test('a thousand at random times come in order', () => {
    const clock = new Clock();
    const times: number[] = [];
    for (let nth = 0; nth < 1_000; nth++) {
      clock.after((nth * 7_919) % 1_009, () => times.push(clock.nowUs));
    }
    clock.runUntil(2_000);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times).toHaveLength(1_000);
  });
});

describe('a machine', () => {
  const ends = (cores: number, threads: number): number[] => {
    const clock = new Clock();
    const machine = new Machine(clock, cores);
    const told: number[] = [];
    for (let nth = 0; nth < threads; nth++) {
      new Thread(machine, `${nth}`).run(10_000, () => told.push(clock.nowUs));
    }
    clock.runUntil(1e6);
    return told;
  };

  test('threads share its cores in slices', () => {
    expect(ends(2, 2)).toEqual([10_000, 10_000]);
    expect(ends(1, 2)).toEqual([18_000, 20_000]);
    expect(Math.max(...ends(2, 8))).toBe(40_000);
  });

  test('a thread does one thing at a time, whatever cores there are', () => {
    const clock = new Clock();
    const thread = new Thread(new Machine(clock, 8), 'one');
    const told: number[] = [];
    for (let nth = 0; nth < 3; nth++) thread.run(5_000, () => told.push(clock.nowUs));
    clock.runUntil(1e6);
    expect(told).toEqual([5_000, 10_000, 15_000]);
    expect(thread.usedUs).toBe(15_000);
  });
});

test('a batcher waits for company, fills up, and lets so many run', () => {
  const clock = new Clock();
  const told: string[] = [];
  const limits = { sizeMax: 3, waitUs: 2_000, concurrencyMax: 1 };
  const batcher = new Batcher<string>(clock, limits, (items, done) => {
    told.push(`${items.join('')} at ${clock.nowUs}`);
    clock.after(10_000, done);
  });
  batcher.add('a');
  clock.runUntil(1_000);
  batcher.add('b');
  clock.runUntil(5_000);
  for (const item of 'cdef') batcher.add(item);
  clock.runUntil(50_000);
  expect(told).toEqual(['ab at 2000', 'cde at 12000', 'f at 22000']);
});

test('a lock is handed on in turn, and a log is flushed once for all that wait', () => {
  const clock = new Clock();
  const lock = new Lock(clock);
  const told: string[] = [];
  for (const name of 'ab') {
    lock.take(() =>
      clock.after(100, () => {
        told.push(`${name} at ${clock.nowUs}`);
        lock.give();
      }),
    );
  }
  clock.runUntil(1_000);
  expect(told).toEqual(['a at 100', 'b at 200']);
  expect(lock.heldUs).toBe(200);

  const log = new Log(clock, 500);
  const flushed: number[] = [];
  for (let nth = 0; nth < 3; nth++) log.commit(() => flushed.push(clock.nowUs));
  clock.runUntil(10_000);
  expect(flushed).toEqual([1_500, 2_000, 2_000]);
});

describe('costs are fitted', () => {
  const points = (one: Cost, sizes: readonly number[]) =>
    sizes.map((batchSize) => ({ us: costAt(one, batchSize), batchSize }));

  test.each([
    [cost(80, 2_000), [5, 50, 300]],
    [cost(0, 500), [10, 100]],
    [cost(40, 0), [10, 100]],
  ])('%j is found again in loads with batches of %j', (one, sizes) => {
    const fitted = fitCost(points(one, sizes));
    expect(fitted.orderUs).toBeCloseTo(one.orderUs, 6);
    expect(fitted.batchUs).toBeCloseTo(one.batchUs, 6);
  });

  test('none is negative, and one batch size tells only what an order costs', () => {
    const rising = fitCost([
      { us: 50, batchSize: 10 },
      { us: 60, batchSize: 100 },
    ]);
    expect(rising.batchUs).toBe(0);
    expect(rising.orderUs).toBeGreaterThan(50);
    expect(
      fitCost([
        { us: 100, batchSize: 10 },
        { us: 0.5, batchSize: 1_000 },
      ]).orderUs,
    ).toBe(0);
    expect(fitCost([{ us: 50, batchSize: 10 }])).toEqual(cost(50));
    expect(fitCost([])).toEqual(cost(0));
  });
});

describe('the model of a shop', () => {
  test('the same seed gives the same answer, another one nearly', () => {
    expect(predict(asked)).toEqual(predict(asked));
    const other = predict({ ...asked, seed: 2 }).perS;
    expect(other).not.toBe(predict(asked).perS);
    expect(Math.abs(other / predict(asked).perS - 1)).toBeLessThan(0.15);
  });

  test('one gateway that costs c gives 1 ÷ c, and never more', () => {
    const costs = { ...free, gateway: cost(100) };
    const one = { ...asked, costs, cores: 16, spread: 0 };
    expect(predict(one).perS).toBeLessThanOrEqual(10_000 * 1.01);
    expect(predict(one).perS).toBeGreaterThan(9_500);
    expect(predict({ ...one, replicas: { gateway: 2 } }).perS).toBeGreaterThan(19_000);
  });

  test.each(['orders', 'inventory'] as const)('one process of %s gives at most a core', (name) => {
    const costs = { ...free, services: { ...free.services, [name]: cost(200) } };
    const { perS } = predict({ ...asked, costs, cores: 16 });
    expect(perS).toBeLessThanOrEqual(5_000 * 1.05);
    expect(perS).toBeGreaterThan(4_000);
  });

  test('where cores are full, they are what bounds it', () => {
    const { perS, coreShare } = predict({ ...asked, clients: 512 });
    expect(coreShare).toBeGreaterThan(0.95);
    expect(coreShare).toBeLessThanOrEqual(1.001);
    const perOrderUs =
      [...Object.values(real.services), ...Object.values(real.databases)].reduce(
        (sum, { orderUs }) => sum + orderUs,
        0,
      ) +
      real.client.orderUs +
      real.gateway.orderUs;
    expect(perS).toBeLessThan((2 * 1e6) / perOrderUs);
  });

  test('a round trip that only waits bounds so many clients: clients ÷ time', () => {
    // Out and back to orders and to inventory, and to Postgres three times; 2 ms at the gateway.
    const hopUs = 1_000;
    const { perS } = predict({ ...asked, costs: free, clients: 1, cores: 4, hopUs });
    const roundS = perS === 0 ? 0 : 1 / perS;
    expect(roundS).toBeCloseTo(0.002 + 0.014 - 0.002, 2);
  });

  test.each([[{}], [each(2)], [each(4)]])('with %j more cores never bring less', (replicas) => {
    const rates = [1, 2, 4, 8].map((cores) => predict({ ...asked, replicas, cores }).perS);
    for (const [nth, perS] of rates.entries()) {
      expect(perS, rates.map(Math.round).join()).toBeGreaterThan((rates[nth - 1] ?? 0) * 0.97);
    }
  });

  test('a hot item is decided by one process, however many there are', () => {
    const services = { ...free.services, inventory: cost(400) };
    const hot = { ...asked, costs: { ...free, services }, cores: 16, items: 1 };
    const four = predict({ ...hot, replicas: each(4) }).perS;
    // Half of what an order costs inventory is to reserve it; the rest the others can do.
    expect(four).toBeLessThan(5_300);
    const many = predict({ ...hot, items: 64, clients: 512, replicas: each(4) }).perS;
    expect(many).toBeGreaterThan(four * 1.4);
  });

  test('machines of their own give Postgres and the clients cores of their own', () => {
    const cores = { services: 2, postgres: 2, clients: 2 };
    expect(predict({ ...asked, cores }).perS).toBeGreaterThan(predict(asked).perS);
  });
});
