// The final reads: what the platform says of itself, after the drain.

import type { Entry, Evidence, ItemBooks, OrderRecord, Replay } from '@rushlight/auditor';
import { type OrderView, publicApi } from '@rushlight/contracts';
import type { Api } from './api.ts';
import type { Books } from './books.ts';

export type EvidenceOptions = {
  api: Api;
  /** Undefined where only the public API can be read. */
  books: Books | undefined;
  history: readonly Entry[];
  tokens: ReadonlyMap<string, string>;
  itemIds: ReadonlySet<string>;
  entrySums: readonly number[];
};

const replaysAtOnce = 8;

export async function readEvidence(options: EvidenceOptions): Promise<Evidence> {
  const { api, books, itemIds, entrySums } = options;
  const replays = await replayAll(options);
  // Orders first: nothing may seem to have an effect before it has a cause.
  const orders = books ? await books.orders() : await listOrders(api, itemIds);
  if (!books) return { items: await readItems(api), orders, replays };
  return {
    items: await books.items(),
    orders,
    holds: await books.holds(),
    provider: await books.provider(),
    mirror: await books.mirror(),
    wallets: await books.wallets(),
    declines: await books.declines(),
    stockMoves: await books.stockMoves(),
    tickets: await books.tickets(),
    notices: await books.notices(),
    entrySums: [...entrySums, await books.entrySum()],
    replays,
  };
}

type Question = { student: string; key: string; body: string };

/** Asks every key that was acknowledged once more. */
async function replayAll({ api, history, tokens }: EvidenceOptions): Promise<Replay[]> {
  const questions = acknowledged(history);
  const replays: Replay[] = [];
  const work = async (): Promise<void> => {
    for (let one = questions.pop(); one; one = questions.pop()) {
      const { student, key, body } = one;
      const answer = await api.send({
        method: 'POST',
        path: publicApi.placeOrder.path,
        headers: { authorization: `Bearer ${tokens.get(student)}`, 'idempotency-key': key },
        body,
      });
      replays.push({ student, key, status: answer.status, body: answer.body });
    }
  };
  await Promise.all(Array.from({ length: replaysAtOnce }, work));
  return replays;
}

function acknowledged(history: readonly Entry[]): Question[] {
  const asked = new Map<number, Question>();
  const known = new Map<string, Question>();
  for (const entry of history) {
    if (entry.type === 'invoke' && entry.op === 'place') {
      const { student, key, lines } = entry;
      asked.set(entry.call, { student, key, body: JSON.stringify({ lines }) });
    } else if (entry.type === 'ok' && entry.op === 'place') {
      const question = asked.get(entry.call);
      if (question) known.set(`${question.student} ${question.key}`, question);
    }
  }
  return [...known.values()];
}

async function readItems(api: Api): Promise<ItemBooks[]> {
  const { body } = await api.call(publicApi.audit, {});
  return body.items.map(({ itemId, initial, added, sold, reserved, available }) => ({
    itemId,
    initial,
    added,
    sold,
    held: reserved,
    left: available,
  }));
}

const pageSize = 100;

/** The orders of our items, newest first, as far back as there are any. */
async function listOrders(api: Api, itemIds: ReadonlySet<string>): Promise<OrderRecord[]> {
  const orders: OrderRecord[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: String(pageSize), ...(cursor === undefined ? {} : { cursor }) };
    const { body } = await api.call(publicApi.listOrders, { query });
    const ours = body.items.filter(({ lines }) => lines.some((line) => itemIds.has(line.itemId)));
    orders.push(...ours.map(recordOf));
    cursor = body.nextCursor;
  } while (cursor !== undefined);
  return orders;
}

function recordOf(view: OrderView): OrderRecord {
  const { orderId, studentId, lines, totalCents, status, reason, history } = view;
  return {
    orderId,
    student: studentId,
    lines: lines.map(({ itemId, quantity }) => ({ itemId, quantity })),
    totalCents,
    status,
    ...(reason === undefined ? {} : { reason }),
    history: history.map((step) => ({ status: step.status, atMs: Date.parse(step.at) })),
  };
}
