// The way of an order through the gateway: the path that the whole product is measured by.
//
// P1. A student who is too fast is told so before anybody else is asked.
// P2. Too little left, by the view: 422 at once, but only after orders said that it does not know the
//     key. Whoever lost the answer to an order that was accepted gets that answer, never "sold out".
// P3. All other orders travel in batches. Each is answered with the bytes that orders gave for it.
// P4. No answer from orders: "nothing was done" only when that is certain, otherwise "unknown".

import { hash } from 'node:crypto';
import {
  type Batcher,
  BreakerOpenError,
  type Cache,
  type Client,
  type Context,
  createBatcher,
  currentSpan,
  type Environment,
  type Log,
  type Metrics,
  type RateVerdict,
  userOf,
} from '@rushlight/chassis';
import {
  type Answer,
  ApiError,
  type Call,
  type Input,
  limits,
  newTraceId,
  type OrderLine,
  ordersApi,
  type publicApi,
} from '@rushlight/contracts';
import { answerOf, answerOfError, failureOfCall, garbage, type RawAnswerOut } from './answers.ts';
import type { Short, StockView } from './stock-view.ts';

type Placing = Call<typeof ordersApi.placeOrders>['body']['orders'][number];
type KeyUse = Call<typeof ordersApi.lookUpKeys>['body']['keys'][number];

export type PlaceOrderOptions = {
  env: Environment;
  log: Log;
  metrics: Metrics;
  orders: Client;
  view: Pick<StockView, 'findShort' | 'confirmShort' | 'refreshSoon'>;
  cache: Pick<Cache, 'take'>;
  rate: { ratePerS: number; burst: number };
  /** Hears of a request whose 422 does not mean "sold out". */
  onKeyReused: (request: object) => void;
};

export type PlaceOrder = {
  handle(input: Input<typeof publicApi.placeOrder>, context: Context): Promise<RawAnswerOut>;
  close(): Promise<void>;
};

const placeDeadlineMs = 5_000;
const lookUpDeadlineMs = 2_000;
const fingerprintLengthMax = 64;
const batching = {
  sizeMax: limits.orderBatchMax,
  waitMsMax: limits.orderBatchWaitMsMax,
  queueMax: 5_000,
  // Longer than orders waits for inventory: while that is silent orders are queued, not refused.
  ageMsMax: 2_500,
  // Few, so that batches grow with the load instead of becoming many.
  concurrencyMax: 2,
};

export function createPlaceOrder(options: PlaceOrderOptions): PlaceOrder {
  const { env, view, cache, rate, metrics } = options;
  const soldOut = metrics.counter('orders_rejected_total', { reason: 'sold_out' });
  const placing = placingBatcher(options);
  const lookingUp = lookUpBatcher(options);

  const refuse = async (order: Placing, short: Short, context: Context): Promise<RawAnswerOut> => {
    const { studentId, key, fingerprint } = order;
    const known = await lookingUp.add({ studentId, key, fingerprint });
    if (known) {
      if (known.status === 422) options.onKeyReused(context.request);
      return answerOfStored(known);
    }
    soldOut.inc();
    return answerOfError('sold_out', short);
  };

  return {
    handle: async ({ headers, body }, context) => {
      const { studentId } = userOf(context);
      let verdict: RateVerdict | undefined;
      try {
        verdict = await cache.take(`orders of ${studentId}`, rate);
      } catch (error) {
        // Behind a shared cache is one of our own, so this is a cache that was closed: we are ending.
        options.log.warn({ error }, 'the rate of a student could not be checked');
      }
      if (verdict?.allowed === false) throw tooFast(verdict);
      const { lines } = body;
      const key = headers['idempotency-key'];
      // What happens to the order belongs to the trace of this request.
      const span = currentSpan();
      const traceId = span?.traceId ?? newTraceId(env.newId(), false);
      const fingerprint = fingerprintOf(lines);
      const order: Placing = { studentId, key, fingerprint, lines, traceId };
      const short = view.findShort(lines) && (await view.confirmShort(lines));
      if (short) return await refuse(order, short, context);
      const answer = await placing.add(order);
      if (answer.status === 422) {
        if (answer.body.includes('"code":"key_reused"')) options.onKeyReused(context.request);
        else view.refreshSoon();
      }
      if (span?.sampled) span.set(orderNamedIn(answer));
      return answerOfStored(answer);
    },
    close: async () => {
      await Promise.all([placing.close(), lookingUp.close()]);
    },
  };
}

/**
 * Equal for equal lines in whatever order, and for no others: the lines themselves while they are
 * short, which costs nothing, and a hash of them beyond that. Item ids hold neither `:` nor `,`.
 */
export function fingerprintOf(lines: readonly OrderLine[]): string {
  const texts = lines.map(({ itemId, quantity }) => `${itemId}:${quantity}`);
  const text = texts.length === 1 ? (texts[0] ?? '') : texts.sort().join();
  return text.length <= fingerprintLengthMax ? text : hash('sha256', text, 'base64url');
}

function tooFast({ retryAfterMs }: RateVerdict & { allowed: false }): ApiError {
  return new ApiError('rate_limited', { waitS: Math.max(1, Math.ceil(retryAfterMs / 1000)) });
}

function placingBatcher(options: PlaceOrderOptions): Batcher<Placing, Answer> {
  const { env, log, orders } = options;
  return createBatcher<Placing, Answer>({
    ...batching,
    ...observed(options.metrics, 'place_orders'),
    name: 'place orders',
    env,
    run: async (batch) => {
      try {
        const call = { body: { orders: batch } };
        const reply = await orders.call(ordersApi.placeOrders, call, {
          deadlineMs: placeDeadlineMs,
        });
        return readAnswers(reply.body, batch.length, isAnswer);
      } catch (error) {
        if (!(error instanceof BreakerOpenError)) {
          log.warn({ error, size: batch.length }, 'a batch of orders was not answered');
        }
        const failure = failureOfCall(error, 'orders', false);
        // Of an order a student is told `busy` or `outcome_unknown`, and nothing else with 503.
        throw failure.code === 'unavailable' ? new ApiError('busy', failure.details) : failure;
      }
    },
  });
}

function lookUpBatcher(options: PlaceOrderOptions): Batcher<KeyUse, Answer | null> {
  const { env, log, orders } = options;
  return createBatcher<KeyUse, Answer | null>({
    ...batching,
    ...observed(options.metrics, 'look_up_keys'),
    name: 'look up keys',
    env,
    run: async (keys) => {
      try {
        const call = { body: { keys } };
        const reply = await orders.call(ordersApi.lookUpKeys, call, {
          deadlineMs: lookUpDeadlineMs,
        });
        return readAnswers(
          reply.body,
          keys.length,
          (answer) => answer === null || isAnswer(answer),
        );
      } catch (error) {
        if (!(error instanceof BreakerOpenError)) {
          log.warn({ error, size: keys.length }, 'keys could not be looked up');
        }
        throw new ApiError('outcome_unknown', { waitS: 1 }, { cause: error });
      }
    },
  });
}

function observed(metrics: Metrics, batcher: 'place_orders' | 'look_up_keys') {
  return {
    onBatch: ({ size }: { size: number }) => metrics.observe('batch_size', { batcher }, size),
    onDepth: (waiting: number) => metrics.set('batch_queue_depth', { batcher }, waiting),
  };
}

/** Checked by hand: these are the bytes of the hot path, and what is sent on is not looked into. */
function readAnswers<T>(
  body: { answers?: unknown } | undefined,
  size: number,
  isGood: (answer: unknown) => boolean,
): T[] {
  const answers = body?.answers;
  if (!Array.isArray(answers) || answers.length !== size || !answers.every(isGood)) {
    throw garbage('orders', 'something that does not fit the batch');
  }
  return answers;
}

function isAnswer(given: unknown): given is Answer {
  const { status, body, retryAfterS } = (given ?? {}) as Partial<Record<keyof Answer, unknown>>;
  return (
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) < 600 &&
    typeof body === 'string' &&
    (retryAfterS === undefined || Number.isInteger(retryAfterS))
  );
}

/** Of a key that was known it is another than the one of this trace. */
function orderNamedIn({ status, body }: Answer): { 'rushlight.order.id'?: string } {
  if (status >= 300) return {};
  const { orderId } = JSON.parse(body) as { orderId: string };
  return { 'rushlight.order.id': orderId };
}

function answerOfStored({ status, body, retryAfterS }: Answer): RawAnswerOut {
  return answerOf({ status, text: body, retryAfter: retryAfterS?.toString() });
}
