import {
  type Client,
  type Context,
  createMemoryCache,
  createMetrics,
  realEnvironment,
  silentLog,
  UnavailableError,
} from '@rushlight/chassis';
import { type Answer, ApiError, ordersApi } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RawAnswerOut } from '../src/answers.ts';
import { createPlaceOrder, fingerprintOf, type PlaceOrderOptions } from '../src/place-order.ts';

type Place = { studentId: string; key: string; fingerprint: string };
type Orders = {
  place: (orders: Place[]) => unknown;
  lookUp: (keys: Place[]) => unknown;
};

function makeGateway(orders: Partial<Orders>, options: Partial<PlaceOrderOptions> = {}) {
  const calls = { place: 0, lookUp: 0 };
  const client = {
    target: 'orders',
    call: async (route: unknown, { body }: { body: { orders?: Place[]; keys?: Place[] } }) => {
      if (route === ordersApi.lookUpKeys) {
        calls.lookUp++;
        return { status: 200, body: await orders.lookUp?.(body.keys ?? []) };
      }
      calls.place++;
      return { status: 200, body: await orders.place?.(body.orders ?? []) };
    },
  } as unknown as Client;
  const reused: object[] = [];
  const placeOrder = createPlaceOrder({
    env: realEnvironment,
    log: silentLog,
    metrics: createMetrics({ service: 'gateway', instance: 'test' }),
    orders: client,
    view: {
      findShort: () => undefined,
      confirmShort: async () => undefined,
      refreshSoon: () => undefined,
    },
    cache: createMemoryCache({ env: realEnvironment }),
    rate: { ratePerS: 1_000, burst: 1_000 },
    onKeyReused: (request) => reused.push(request),
    ...options,
  });
  const place = async (
    studentId: string,
    key: string,
    itemId = 'soup',
  ): Promise<RawAnswerOut | ApiError> => {
    const context = {
      principal: { kind: 'user', studentId },
      request: {},
    } as unknown as Context;
    const input = {
      headers: { 'idempotency-key': key },
      body: { lines: [{ itemId, quantity: 1 }] },
      params: undefined,
      query: undefined,
    };
    return await placeOrder.handle(input, context).catch((error) => {
      if (error instanceof ApiError) return error;
      throw error;
    });
  };
  return { place, calls, reused, placeOrder };
}

const answerFor = ({ studentId, key }: Place): Answer => ({
  status: 201,
  body: `${studentId} ${key}`,
});
const short = {
  findShort: () => ({ itemId: 'soup', left: 0 }),
  confirmShort: async () => ({ itemId: 'soup', left: 0 }),
  refreshSoon: () => undefined,
};

test('every order gets its own answer, however orders come together and fail', async () => {
  const anyOrder = fc.record({
    student: fc.nat({ max: 30 }),
    status: fc.constantFrom(201, 202, 404, 409, 422, 503),
    waits: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyOrder, { minLength: 1, maxLength: 200 }), async (orders) => {
      const statusOf = (key: string): number => orders[Number(key)]?.status ?? 0;
      const { place, calls } = makeGateway({
        place: (batch) => ({
          answers: batch.map((order) => ({ ...answerFor(order), status: statusOf(order.key) })),
        }),
      });
      const answers = await Promise.all(
        orders.map(async ({ student, status, waits }, index) => {
          if (waits) await realEnvironment.sleep(index % 4);
          const answer = (await place(`s${student}`, String(index))) as RawAnswerOut;
          return { status, answer, expected: `s${student} ${index}` };
        }),
      );
      for (const { status, answer, expected } of answers) {
        expect(answer.status).toBe(status);
        expect(answer.body?.text).toBe(expected);
      }
      expect(calls.place).toBeLessThanOrEqual(orders.length);
    }),
    { numRuns: 30 },
  );
});

test('orders that come together travel together', async () => {
  const { place, calls } = makeGateway({ place: (batch) => ({ answers: batch.map(answerFor) }) });
  await Promise.all(Array.from({ length: 400 }, (_, index) => place(`s${index}`, 'k')));
  expect(calls.place).toBe(1);
});

test.each([
  ['nothing', undefined],
  ['text', 'hello'],
  ['too few answers', { answers: [] }],
  ['too many answers', { answers: [answerFor({ studentId: '', key: '', fingerprint: '' }), null] }],
  ['an answer without a body', { answers: [{ status: 201 }] }],
  ['an answer with a wrong status', { answers: [{ status: 99, body: '' }] }],
  ['an answer with a header in it', { answers: [{ status: 503, body: '', retryAfterS: 'x\r\n' }] }],
])('orders answers with %s: the outcome is unknown', async (_, body) => {
  const { place } = makeGateway({ place: () => body });
  expect(await place('s1', 'k')).toMatchObject({ code: 'outcome_unknown', status: 503 });
});

test('no answer from orders: unknown; never sent: nothing was done', async () => {
  let error: Error = new UnavailableError('orders', 'silent');
  const { place } = makeGateway({
    place: () => {
      throw error;
    },
  });
  expect(await place('s1', 'k')).toMatchObject({ code: 'outcome_unknown' });
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  error = new UnavailableError('orders', 'refused', { cause: refused });
  expect(await place('s1', 'k')).toMatchObject({ code: 'busy' });
  error = new ApiError('busy', { waitS: 3 });
  expect(await place('s1', 'k')).toMatchObject({ code: 'busy', retryAfterS: 3 });
  error = new ApiError('bad_request', { why: 'we sent nonsense' });
  expect(await place('s1', 'k')).toMatchObject({ code: 'outcome_unknown' });
});

test('sold out is answered without placing the order, when its key is unknown', async () => {
  const { place, calls, reused } = makeGateway(
    { lookUp: (keys) => ({ answers: keys.map(() => null) }) },
    { view: short },
  );
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => place(`s${index}`, 'k')),
  );
  for (const answer of answers as RawAnswerOut[]) {
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.body?.text ?? '')).toMatchObject({
      code: 'sold_out',
      itemId: 'soup',
      left: 0,
    });
    expect(answer.headers?.['content-type']).toContain('application/problem+json');
  }
  expect(calls).toEqual({ place: 0, lookUp: 1 });
  expect(reused).toEqual([]);
});

test('whoever lost the answer to an accepted order gets it, also when all is sold', async () => {
  const stored = { status: 201, body: '{"orderId":"of then"}' };
  const { place, calls } = makeGateway(
    { lookUp: (keys) => ({ answers: keys.map(({ key }) => (key === 'mine' ? stored : null)) }) },
    { view: short },
  );
  const [mine, other] = (await Promise.all([place('s1', 'mine'), place('s1', 'other')])) as [
    RawAnswerOut,
    RawAnswerOut,
  ];
  expect(mine).toMatchObject({ status: 201, body: { text: stored.body } });
  expect(other.status).toBe(422);
  expect(calls).toEqual({ place: 0, lookUp: 1 });
});

test('when nobody can say whether the key is known the outcome is unknown, never "sold out"', async () => {
  for (const answer of [undefined, { answers: [] }, { answers: [7] }]) {
    const { place } = makeGateway({ lookUp: () => answer }, { view: short });
    expect(await place('s1', 'k')).toMatchObject({ code: 'outcome_unknown', status: 503 });
  }
});

test('a student who is too fast waits; others do not', async () => {
  const { place } = makeGateway(
    { place: (batch) => ({ answers: batch.map(answerFor) }) },
    { rate: { ratePerS: 1, burst: 3 } },
  );
  for (let i = 0; i < 3; i++) expect(await place('fast', `k${i}`)).toMatchObject({ status: 201 });
  expect(await place('fast', 'k3')).toMatchObject({ code: 'rate_limited', retryAfterS: 1 });
  expect(await place('calm', 'k')).toMatchObject({ status: 201 });
});

test('a cache that is down slows nobody', async () => {
  const down = { take: () => Promise.reject(new UnavailableError('cache', 'down')) };
  const { place } = makeGateway(
    { place: (batch) => ({ answers: batch.map(answerFor) }) },
    { cache: down },
  );
  expect(await place('s1', 'k')).toMatchObject({ status: 201 });
});

test('a refusal of orders keeps its bytes, its type and its Retry-After', async () => {
  const body = '{"code":"in_progress", "status":409}';
  const { place } = makeGateway({
    place: () => ({ answers: [{ status: 409, body, retryAfterS: 2 }] }),
  });
  const answer = (await place('s1', 'k')) as RawAnswerOut;
  expect(answer).toMatchObject({ status: 409, body: { text: body } });
  expect(answer.headers).toEqual({
    'content-type': 'application/problem+json; charset=utf-8',
    'retry-after': '2',
  });
});

test('a key that was used for another order is not counted as sold out', async () => {
  const body = '{"code":"key_reused"}';
  const { place, reused } = makeGateway({ place: () => ({ answers: [{ status: 422, body }] }) });
  await place('s1', 'k');
  expect(reused).toHaveLength(1);
});

test('equal lines have equal fingerprints in any order, and others have others', () => {
  const anyLines = fc.uniqueArray(
    fc.record({
      itemId: fc.stringMatching(/^[a-z0-9-]{1,8}$/),
      quantity: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 1, maxLength: 20, selector: ({ itemId }) => itemId },
  );
  const canonical = (lines: { itemId: string; quantity: number }[]): string =>
    JSON.stringify(lines.map(({ itemId, quantity }) => [itemId, quantity]).sort());
  fc.assert(
    fc.property(anyLines, anyLines, fc.nat(), (lines, others, turn) => {
      const at = turn % lines.length;
      const turned = [...lines.slice(at), ...lines.slice(0, at)];
      expect(fingerprintOf(turned)).toBe(fingerprintOf(lines));
      expect(fingerprintOf(others) === fingerprintOf(lines)).toBe(
        canonical(others) === canonical(lines),
      );
    }),
  );
});
