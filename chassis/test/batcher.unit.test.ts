import { ApiError } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatcherOptions, createBatcher } from '../src/batcher.ts';
import { fakeEnvironment } from './fake-environment.ts';

const generous = {
  name: 'test',
  sizeMax: 100,
  waitMsMax: 2,
  queueMax: 1_000,
  ageMsMax: 1_000,
  concurrencyMax: 1,
};

type Plan = { takesMs: number; fate: 'answers' | 'some fail' | 'throws' | 'miscounts' };
type Ran = { items: number[]; startedMs: number; fate: Plan['fate'] };
type Told = { item: number; addedMs: number; toldMs: number; told: unknown };

const fates = ['answers', 'answers', 'some fail', 'throws', 'miscounts'] as const;
const anyRun = fc.record({
  limits: fc.record({
    sizeMax: fc.integer({ min: 1, max: 6 }),
    waitMsMax: fc.integer({ min: 0, max: 5 }),
    queueMax: fc.integer({ min: 1, max: 12 }),
    ageMsMax: fc.integer({ min: 6, max: 30 }),
    concurrencyMax: fc.integer({ min: 1, max: 3 }),
  }),
  arrivals: fc.array(
    fc.record({ pauseMs: fc.nat({ max: 6 }), count: fc.integer({ min: 1, max: 8 }) }),
    { maxLength: 20 },
  ),
  plans: fc.array(fc.record({ takesMs: fc.nat(40), fate: fc.constantFrom(...fates) }), {
    minLength: 1,
  }),
  closesEarly: fc.boolean(),
});
type Run = typeof anyRun extends fc.Arbitrary<infer R> ? R : never;

/** What item n is answered when its batch has this fate. */
function answerTo(item: number, fate: Plan['fate']): unknown {
  if (fate === 'throws') return 'lost';
  if (fate === 'miscounts') return expect.stringContaining('results for');
  return fate === 'some fail' && item % 2 === 0 ? `bad ${item}` : item * 10;
}

async function play({ limits, arrivals, plans, closesEarly }: Run) {
  const env = fakeEnvironment();
  const ran: Ran[] = [];
  const told: Told[] = [];
  let running = 0;
  let runningMost = 0;
  let items = 0;
  const batcher = createBatcher<number, number>({
    ...limits,
    name: 'test',
    env,
    run: async (batch) => {
      const { takesMs, fate } = plans[ran.length % plans.length] ?? { takesMs: 0, fate: 'answers' };
      ran.push({ items: [...batch], startedMs: env.monotonicMs(), fate });
      runningMost = Math.max(runningMost, ++running);
      await env.sleep(takesMs);
      running--;
      if (fate === 'throws') throw new Error('lost');
      if (fate === 'miscounts') return [...batch, 0];
      return batch.map((item) => {
        const answer = answerTo(item, fate);
        return typeof answer === 'number' ? answer : new Error(String(answer));
      });
    },
  });
  const refusedWithRoom: number[] = [];
  const add = (): void => {
    const item = ++items;
    const addedMs = env.monotonicMs();
    const hadRoom = batcher.depth() < limits.queueMax;
    const tell = (answer: unknown): void => {
      const toldMs = env.monotonicMs();
      told.push({ item, addedMs, toldMs, told: answer });
      const isAtOnce = answer === 'busy' && toldMs === addedMs;
      if (isAtOnce && hadRoom) refusedWithRoom.push(item);
    };
    batcher.add(item).then(tell, (error: Error) => {
      tell(error instanceof ApiError ? error.code : error.message);
    });
  };
  for (const { pauseMs, count } of arrivals) {
    await env.advance(pauseMs);
    for (let n = 0; n < count; n++) add();
    expect(batcher.depth()).toBeLessThanOrEqual(limits.queueMax);
  }
  if (!closesEarly) await env.advance(10_000);
  let isClosed = false;
  const closed = batcher.close().then(() => {
    isClosed = true;
    expect(told).toHaveLength(items);
  });
  await env.advance(10_000);
  expect(isClosed).toBe(true);
  await closed;
  return { ran, told, items, runningMost, refusedWithRoom };
}

test('whatever arrives, each item is answered once, in order, within every limit', async () => {
  await fc.assert(
    fc.asyncProperty(anyRun, async (run) => {
      const { limits } = run;
      const { ran, told, items, runningMost, refusedWithRoom } = await play(run);
      expect(told.map(({ item }) => item).sort((a, b) => a - b)).toEqual(
        Array.from({ length: items }, (_, index) => index + 1),
      );
      const inOrder = ran.flatMap((batch) => batch.items);
      expect(inOrder).toEqual([...new Set(inOrder)].sort((a, b) => a - b));
      expect(runningMost).toBeLessThanOrEqual(limits.concurrencyMax);
      expect(refusedWithRoom).toEqual([]);
      const batchOf = new Map(ran.flatMap((batch) => batch.items.map((item) => [item, batch])));
      for (const batch of ran) expect(batch.items.length).toBeLessThanOrEqual(limits.sizeMax);
      for (const { item, addedMs, toldMs, told: answer } of told) {
        const batch = batchOf.get(item);
        expect(answer).toEqual(batch ? answerTo(item, batch.fate) : 'busy');
        if (batch) expect(batch.startedMs - addedMs).toBeLessThanOrEqual(limits.ageMsMax);
        else expect(toldMs - addedMs).toBeLessThanOrEqual(limits.ageMsMax + 1);
      }
    }),
    { numRuns: 300 },
  );
});

test('while there is room to run, nobody waits longer than waitMsMax', async () => {
  await fc.assert(
    fc.asyncProperty(anyRun, async (run) => {
      const limits = { ...run.limits, concurrencyMax: 1_000, queueMax: 1_000 };
      const { ran, told } = await play({ ...run, limits });
      const startedMs = new Map(
        ran.flatMap((batch) => batch.items.map((item) => [item, batch.startedMs])),
      );
      for (const { item, addedMs } of told) {
        const waitedMs = (startedMs.get(item) ?? Number.NaN) - addedMs;
        expect(waitedMs).toBeLessThanOrEqual(limits.waitMsMax);
      }
    }),
  );
});

function slowBatcher(options: Partial<BatcherOptions<number, number>> = {}) {
  const env = fakeEnvironment();
  const sizes: number[] = [];
  const batcher = createBatcher<number, number>({
    ...generous,
    env,
    run: async (items) => {
      sizes.push(items.length);
      await env.sleep(10);
      return items;
    },
    ...options,
  });
  return { env, sizes, batcher };
}

test('while a batch runs, the next one gathers', async () => {
  const { env, sizes, batcher } = slowBatcher();
  const answers = [batcher.add(1)];
  await env.advance(3);
  for (let item = 2; item <= 40; item++) answers.push(batcher.add(item));
  await env.advance(30);
  expect(sizes).toEqual([1, 39]);
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
});

test('a full batch does not wait', () => {
  const { sizes, batcher } = slowBatcher({ sizeMax: 3 });
  for (let item = 1; item <= 3; item++) void batcher.add(item);
  expect(sizes).toEqual([3]);
});

test('an item that came just before a batch ended still waits for company', async () => {
  const { env, sizes, batcher } = slowBatcher();
  void batcher.add(1);
  await env.advance(11);
  void batcher.add(2);
  await env.advance(1.5);
  void batcher.add(3);
  await env.advance(10);
  expect(sizes).toEqual([1, 2]);
});

test('with no wait, what comes in one turn goes in one batch, and no timer is set', async () => {
  const { env, sizes, batcher } = slowBatcher({ waitMsMax: 0 });
  for (let item = 1; item <= 5; item++) void batcher.add(item);
  expect(sizes).toEqual([]);
  expect(env.timers()).toBe(0);
  await Promise.resolve();
  expect(sizes).toEqual([5]);
});

test('a thousand items that wait need one timer', () => {
  const { env, batcher } = slowBatcher({ sizeMax: 2_000, queueMax: 2_000 });
  for (let item = 1; item <= 1_000; item++) void batcher.add(item);
  expect(env.timers()).toBe(1);
});

test('an item behind a batch that hangs is told that we are busy, when it is too old', async () => {
  const { env, batcher } = slowBatcher({ run: () => new Promise(() => undefined), ageMsMax: 50 });
  void batcher.add(1);
  await env.advance(5);
  const late = batcher.add(2).catch((error: ApiError) => error);
  await env.advance(52);
  expect(await late).toMatchObject({ code: 'busy', retryAfterS: 1 });
  expect(batcher.depth()).toBe(0);
});

test('a full queue refuses at once, and says when to come back', async () => {
  const { batcher } = slowBatcher({ queueMax: 1, ageMsMax: 2_500 });
  void batcher.add(1);
  await expect(batcher.add(2)).rejects.toMatchObject({ code: 'busy', retryAfterS: 3 });
});

test('a closed batcher refuses new items, and has answered all others', async () => {
  const { env, sizes, batcher } = slowBatcher({ waitMsMax: 500 });
  const answer = batcher.add(1);
  const closed = batcher.close();
  await expect(batcher.add(2)).rejects.toMatchObject({ code: 'busy' });
  await env.advance(10);
  await closed;
  expect(await answer).toBe(1);
  expect(sizes).toEqual([1]);
  await batcher.close();
});

test('a batch reports its size and how long it took', async () => {
  const batches: unknown[] = [];
  const depths: number[] = [];
  const { env, batcher } = slowBatcher({
    onBatch: (batch) => batches.push(batch),
    onDepth: (depth) => depths.push(depth),
  });
  void batcher.add(1);
  void batcher.add(2);
  await env.advance(20);
  expect(batches).toEqual([{ size: 2, durationMs: 10 }]);
  expect(depths).toEqual([2, 0]);
});

test('limits that contradict each other are refused', () => {
  expect(() => slowBatcher({ sizeMax: 0 })).toThrow('sizeMax 0');
  expect(() => slowBatcher({ ageMsMax: 1 })).toThrow('ageMsMax 1');
});
