// Students who order while things break: open loop, seeded, and stubborn. Whoever gets no answer, or
// is told to wait, sends the same key again. What they were told is the record that is judged.

import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@rushlight/chassis/testing';
import { eventually } from './eventually.ts';
import { type Answer, codeOf, faultOfProblem, jsonOf } from './http.ts';
import { type Line, place } from './ordering.ts';
import { endStatuses, type Student, type Visitor } from './platform.ts';

/** An order that was answered 201 or 202. */
export type Acknowledged = {
  student: Student;
  key: string;
  lines: Line[];
  orderId: string;
  status: number;
  text: string;
  tries: number;
};

export type Shoppers = {
  readonly acknowledged: readonly Acknowledged[];
  /** Waits until so many more orders are acknowledged. */
  more(count: number, deadlineMs?: number): Promise<void>;
  /** No more new orders; resolves when every one that was begun has an answer. */
  stop(): Promise<void>;
  /** Everything that broke a promise: refusals without need, orders given up, wrong answers. */
  readonly broken: readonly string[];
};

const tryMsMax = 6_000;
const giveUpMs = 45_000;
const waitMsMax = 500;

export function startShoppers(
  shop: Pick<Visitor, 'api'>,
  options: { students: readonly Student[]; itemIds: readonly string[]; perS: number; seed: number },
): Shoppers {
  const { students, itemIds, perS, seed } = options;
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const acknowledged: Acknowledged[] = [];
  const broken: string[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;

  const order = async (student: Student, key: string, lines: Line[]): Promise<void> => {
    const endMs = performance.now() + giveUpMs;
    for (let tries = 1; performance.now() < endMs; tries++) {
      const answer = await withTimeLimit(place(shop, student.token, lines, key));
      if (answer?.status === 201 || answer?.status === 202) {
        const { orderId } = jsonOf<{ orderId: string }>(answer);
        const { status, text } = answer;
        acknowledged.push({ student, key, lines, orderId, status, text, tries });
        return;
      }
      const fault = answer && faultOf(answer);
      if (fault !== undefined) {
        broken.push(fault);
        return;
      }
      await sleep(100 + random() * waitMsMax);
    }
    broken.push(`the order with key ${key} got no answer within ${giveUpMs} ms`);
  };

  const begin = (): void => {
    const lines = [{ itemId: pick(itemIds), quantity: 1 + Math.floor(random() * 2) }];
    const key = `${seed}-${Math.floor(random() * 1e15)}`;
    const work = order(pick(students), key, lines).finally(() => running.delete(work));
    running.add(work);
  };
  const clock = setInterval(() => {
    if (!stopped) begin();
  }, 1_000 / perS);

  return {
    acknowledged,
    broken,
    more: async (count, deadlineMs = 20_000) => {
      const wanted = acknowledged.length + count;
      const look = (): boolean => acknowledged.length >= wanted;
      await eventually(`${count} more orders (seed ${seed})`, look, { deadlineMs });
    },
    stop: async () => {
      stopped = true;
      clearInterval(clock);
      await Promise.all(running);
    },
  };
}

/** Codes that tell a student to come again. */
const again = new Set(['busy', 'unavailable', 'outcome_unknown', 'rate_limited', 'in_progress']);

function faultOf(answer: Answer): string | undefined {
  return (
    faultOfProblem(answer) ??
    (again.has(codeOf(answer)) ? undefined : `refused without need: ${answer.text}`)
  );
}

async function withTimeLimit(sent: Promise<Answer>): Promise<Answer | undefined> {
  const late = new AbortController();
  const limit = sleep(tryMsMax, undefined, { signal: late.signal }).catch(() => undefined);
  const answer = sent.catch(() => undefined); // No answer is what the next try is for.
  try {
    return await Promise.race([answer, limit]);
  } finally {
    late.abort();
  }
}

/**
 * What became of every acknowledged order: in an end state, sold (there was enough of everything),
 * and found again by its key. Returns what is wrong.
 */
export async function judge(
  shop: Visitor,
  shoppers: Shoppers,
  from: number = 0,
): Promise<{ wrong: string[]; judged: number }> {
  const wrong = [...shoppers.broken];
  const mine = shoppers.acknowledged.slice(from);
  const orders = await shop.settled(mine.map(({ orderId }) => orderId));
  for (const { orderId } of mine) {
    const order = orders.get(orderId);
    const isSold = order !== undefined && endStatuses.includes(order.status) && !order.reason;
    if (!isSold) wrong.push(`acknowledged and not sold: ${JSON.stringify(order)}`);
  }
  const ids = new Set(mine.map(({ orderId }) => orderId));
  if (ids.size !== mine.length) wrong.push(`${mine.length} keys, ${ids.size} orders`);
  const waiting = [...mine];
  const ask = async (): Promise<void> => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const answer = await place(shop, one.student.token, one.lines, one.key);
      const isSame = answer.status === one.status && answer.text === one.text;
      if (!isSame) {
        wrong.push(`${one.key}: ${one.status} ${one.text}, then ${answer.status} ${answer.text}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  return { wrong, judged: mine.length };
}
