// What the clients do, each act recorded before it is sent and after it is answered.
//
// H1 to H3 of the history (auditor): a 4xx is "it did not happen"; a 5xx or no answer is "nobody knows".

import type { Entry, Invoke, Line, Recorder } from '@rushlight/auditor';
import { pathOf, publicApi } from '@rushlight/contracts';
import type { Answered, Outcome } from '../load/connection.ts';
import type { LoadClient, RequestParts } from '../load/load-client.ts';
import { headerOf } from '../load/response-parser.ts';

export type Shopper = { proc: string; student: string; token: string };

export type Placed =
  | { kind: 'accepted'; status: 201 | 202; orderId: string }
  /** A definite no. */
  | { kind: 'refused'; code: string }
  /** The same key may be asked again, after this time if the shop said one. */
  | { kind: 'again'; waitMs: number };

export type Witness = {
  place(
    shopper: Shopper,
    request: { key: string; lines: readonly Line[] },
    how: How,
  ): Promise<Placed>;
  cancel(shopper: Shopper, orderId: string): Promise<'cancelled' | 'refused' | 'again'>;
  /** The status that it found; undefined when there was no answer. */
  read(shopper: Shopper, orderId: string): Promise<string | undefined>;
  /** What can be sold of each of these items; undefined when there was no answer. */
  stock(proc: string, token: string, itemIds: ReadonlySet<string>): Promise<void>;
  /** Records the invocation of an addition; what is returned records its end. */
  adding(proc: string, itemId: string, quantity: number): (isDone: boolean) => void;
};

export type How = {
  deadlineMs: number;
  /** Drop the line when so many bytes of the request are sent. */
  bytesMax?: number;
};

const readMsMax = 10_000;
/** A 4xx that tells to come again. */
const againCodes = new Set(['in_progress', 'rate_limited', 'request_timeout']);

type Act = Invoke extends infer One
  ? One extends Invoke
    ? Omit<One, 't' | 'call' | 'type'>
    : never
  : never;

export function createWitness(
  client: LoadClient,
  recorder: Pick<Recorder, 'write'>,
  nowMs: () => number = Date.now,
): Witness {
  let calls = 0;
  const begin = (act: Act): ((end: object) => void) => {
    const call = ++calls;
    recorder.write({ t: nowMs(), call, type: 'invoke', ...act } as Entry);
    const { proc, op } = act;
    return (end) => recorder.write({ t: nowMs(), proc, call, op, ...end } as Entry);
  };
  const ask = (token: string, parts: RequestParts, deadlineMs = readMsMax): Promise<Outcome> => {
    const headers = { authorization: `Bearer ${token}`, ...parts.headers };
    return client.request({ ...parts, headers }, deadlineMs);
  };
  return {
    place: async ({ proc, student, token }, { key, lines }, { deadlineMs, bytesMax }) => {
      const bytes = client.prepare({
        method: 'POST',
        path: publicApi.placeOrder.path,
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
        body: JSON.stringify({ lines }),
      });
      const end = begin({ proc, op: 'place', student, key, lines });
      const outcome = await client.request(bytes.subarray(0, bytesMax), deadlineMs);
      if (outcome.kind === 'answered' && (outcome.status === 201 || outcome.status === 202)) {
        const { status, body } = outcome;
        const { orderId } = JSON.parse(body) as { orderId: string };
        end({ type: 'ok', status, orderId, body });
        return { kind: 'accepted', status, orderId };
      }
      const { code } = endWithout(outcome, end);
      return code === undefined || againCodes.has(code)
        ? { kind: 'again', waitMs: retryAfterMs(outcome) }
        : { kind: 'refused', code };
    },
    cancel: async ({ proc, token }, orderId) => {
      const end = begin({ proc, op: 'cancel', orderId });
      const { method } = publicApi.cancelOrder;
      const path = pathOf(publicApi.cancelOrder, { orderId });
      const outcome = await ask(token, { method, path });
      if (outcome.kind === 'answered' && outcome.status === 200) {
        end({ type: 'ok' });
        return 'cancelled';
      }
      const { code } = endWithout(outcome, end);
      return code === undefined || againCodes.has(code) ? 'again' : 'refused';
    },
    read: async ({ proc, token }, orderId) => {
      const end = begin({ proc, op: 'read', orderId });
      const path = pathOf(publicApi.getOrder, { orderId });
      const outcome = await ask(token, { method: publicApi.getOrder.method, path });
      if (outcome.kind !== 'answered' || outcome.status !== 200) {
        endWithout(outcome, end);
        return undefined;
      }
      const { status, reason } = JSON.parse(outcome.body) as { status: string; reason?: string };
      end({ type: 'ok', order: { orderId, status, ...(reason === undefined ? {} : { reason }) } });
      return status;
    },
    stock: async (proc, token, itemIds) => {
      const end = begin({ proc, op: 'stock' });
      const { method, path } = publicApi.listItems;
      const outcome = await ask(token, { method, path });
      if (outcome.kind !== 'answered' || outcome.status !== 200) {
        endWithout(outcome, end);
        return;
      }
      const all = JSON.parse(outcome.body) as { itemId: string; available: number }[];
      const items = all.filter(({ itemId }) => itemIds.has(itemId));
      end({ type: 'ok', items: items.map(({ itemId, available }) => ({ itemId, available })) });
    },
    adding: (proc, itemId, quantity) => {
      const end = begin({ proc, op: 'add', itemId, quantity });
      return (isDone) => end(isDone ? { type: 'ok' } : { type: 'info', why: 'no clear answer' });
    },
  };
}

/** Records an end that is not the wished one. `code` is there when it certainly did not happen. */
function endWithout(outcome: Outcome, end: (end: object) => void): { code?: string } {
  if (outcome.kind === 'unanswered') {
    end({ type: 'info', why: `${outcome.why}${outcome.sent ? '' : ', not sent'}` });
    return {};
  }
  const { code, itemId } = problemOf(outcome);
  const { status } = outcome;
  if (status >= 400 && status < 500) {
    end({ type: 'fail', status, code, ...(itemId === undefined ? {} : { itemId }) });
    return { code };
  }
  end({ type: 'info', status, code, why: `answered ${status} ${code}` });
  return {};
}

function problemOf({ body }: Answered): { code: string; itemId?: string } {
  try {
    const { code, itemId } = JSON.parse(body) as { code?: unknown; itemId?: unknown };
    return {
      code: typeof code === 'string' ? code : 'none',
      ...(typeof itemId === 'string' ? { itemId } : {}),
    };
  } catch {
    return { code: 'none' };
  }
}

function retryAfterMs(outcome: Outcome): number {
  if (outcome.kind !== 'answered') return 0;
  const seconds = Number(headerOf(outcome.head, 'retry-after') ?? 0);
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}
