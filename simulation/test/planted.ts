// The usual mistakes, each made by putting the shop together differently. The simulation must find
// every one of them: a judge that never condemns proves nothing.

import type { Environment, MemoryLedger, Outbox } from '@rushlight/chassis';
import { type EventOf, type Message, ordersApi, type Topic } from '@rushlight/contracts';
import type { Composition } from '../src/shop/composition.ts';

export type Planted = {
  /** What was done wrong. */
  mistake: string;
  compose: () => Composition;
};

type Living = Parameters<NonNullable<Composition['ledger']>>[2];
type Said = { topic: Topic; events: readonly EventOf<Topic>[] };

const everything = 1_000_000;

function messageOf(env: Environment, { topic, events }: Said): Message {
  return { id: env.newId(), topic, atMs: env.nowMs(), events } as Message;
}

/** Says after the commit what should have been said by it. */
function sayingAfterwards(ledger: MemoryLedger, living: Living): MemoryLedger {
  return {
    ...ledger,
    transaction: async (operation, work) => {
      const said: Said[] = [];
      const result = await ledger.transaction(operation, (tx) =>
        work({ ...tx, emit: (topic, events) => said.push({ topic, events }) }),
      );
      const env = living.env();
      await env.sleep(2);
      const sound = said.filter(({ events }) => events.length > 0);
      await living.publish(sound.map((one) => messageOf(env, one)));
      return result;
    },
  };
}

/** An outbox whose relay remembers the last id that it read, and asks for greater ones. */
function readByCursor(ledger: MemoryLedger, living: Living): MemoryLedger {
  let ids = 0;
  let lastRead = 0;
  const rows: { id: number; message: Message }[] = [];
  const wakes: (() => void)[] = [];
  const relay: Outbox['relay'] = async (limit, publish) => {
    const next = rows.filter(({ id }) => id > lastRead).sort((a, b) => a.id - b.id);
    const some = next.slice(0, limit);
    if (some.length > 0) await publish(some.map(({ message }) => message));
    lastRead = Math.max(lastRead, some.at(-1)?.id ?? 0);
    return some.length;
  };
  return {
    ...ledger,
    transaction: async (operation, work) => {
      const id = ++ids;
      const env = living.env();
      await env.sleep(env.random() * 20);
      return ledger.transaction(operation, (tx) => {
        const emit = (topic: Topic, events: readonly EventOf<Topic>[]): void => {
          if (events.length === 0) return;
          rows.push({ id, message: messageOf(env, { topic, events }) });
          for (const wake of wakes) wake();
        };
        return work({ ...tx, emit });
      });
    },
    outbox: {
      relay,
      relayNew: relay,
      depth: async () => rows.filter(({ id }) => id > lastRead).length,
      onWritten: (wake) => wakes.push(wake),
    },
  };
}

export const planted = {
  'ack before commit': {
    mistake: 'a message is acknowledged, and then handled',
    compose: () => ({
      handler: (_, handle) => async (messages) => {
        handle(messages).catch(() => undefined);
      },
    }),
  },
  'dual write': {
    mistake: 'orders commits, and then publishes',
    compose: () => ({
      ledger: (service, ledger, living) =>
        service === 'orders' ? sayingAfterwards(ledger, living) : ledger,
    }),
  },
  'outbox cursor': {
    mistake: 'the relay reads ids greater than the last one; they commit out of order',
    compose: () => ({
      ledger: (service, ledger, living) =>
        service === 'orders' ? readByCursor(ledger, living) : ledger,
    }),
  },
  'check, then act': {
    mistake: 'stock is looked at in one step and promised in another',
    compose: () => ({
      inventoryStore: (store) => ({
        ...store,
        reserveBatch: async (cause, requests) => {
          const items = await store.items();
          const left = new Map(items.map((item) => [item.itemId, item.onHand - item.reserved]));
          const answers = await store.reserveBatch(cause, requests);
          return answers.map((answer, index) => {
            const lines = requests[index]?.lines ?? [];
            const fits = lines.every((line) => line.quantity <= (left.get(line.itemId) ?? 0));
            if (answer.outcome !== 'short' || !fits) return answer;
            return { orderId: answer.orderId, outcome: 'reserved' };
          });
        },
      }),
    }),
  },
  'order id of the clock': {
    mistake: 'an order is named by the millisecond',
    compose: () => ({
      environment: (service, env) => {
        // What is not time in an order's id comes from the trace that the gateway begins.
        if (service !== 'gateway') return env;
        const time = (): string => env.nowMs().toString(16).padStart(12, '0');
        const newId = (): string =>
          `${time().slice(0, 8)}-${time().slice(8)}-7000-8000-000000000000`;
        return { ...env, newId };
      },
    }),
  },
  'inbox outside the transaction': {
    mistake: 'a message is noted as seen before its effect is committed',
    compose: () => {
      const seen = new Set<string>();
      return {
        paymentStore: (store, env) => ({
          ...store,
          beginCharges: async (messages, lease) => {
            const fresh = messages.filter(({ messageId }) => !seen.has(messageId));
            if (fresh.length === 0) return undefined;
            for (const { messageId } of fresh) seen.add(messageId);
            await env.sleep(2);
            return store.beginCharges(fresh, lease);
          },
        }),
      };
    },
  },
  'provider without key': {
    mistake: 'a charge that is tried again is a new charge to the provider',
    compose: () => {
      let charges = 0;
      const real = (id: string): string => id.split('~')[0] ?? id;
      const lastOf = new Map<string, string>();
      return {
        provider: (provider) => ({
          ...provider,
          charge: async (asked) => {
            const named = asked.map((charge) => {
              const paymentId = `${charge.paymentId}~${++charges}`;
              lastOf.set(charge.paymentId, paymentId);
              return { ...charge, paymentId };
            });
            const answers = await provider.charge(named);
            return answers.map((answer) => ({ ...answer, paymentId: real(answer.paymentId) }));
          },
          refund: async (asked) => {
            const named = asked.map((refund) => {
              const paymentId = lastOf.get(refund.paymentId) ?? refund.paymentId;
              return { ...refund, paymentId };
            });
            const answers = await provider.refund(named);
            return answers.map((answer) => ({ ...answer, paymentId: real(answer.paymentId) }));
          },
          ledger: async (after, limit) => {
            const entries = await provider.ledger(after, limit);
            return entries.map((entry) => ({ ...entry, reference: real(entry.reference) }));
          },
        }),
      };
    },
  },
  'no tombstone': {
    mistake: 'an end that comes before its reserve leaves nothing behind',
    compose: () => ({
      inventoryStore: (store) => ({
        ...store,
        releaseEnded: async (message) => {
          const { holds } = await store.audit({ after: undefined, limit: everything });
          const held = new Set(holds.map(({ orderId }) => orderId));
          const events = message.events.filter(({ orderId }) => held.has(orderId));
          return store.releaseEnded({ ...message, events } as typeof message);
        },
      }),
    }),
  },
  'late resurrection': {
    mistake: 'a payment that comes late revives an order that has ended',
    compose: () => ({
      orderStore: (store, ledger) => ({
        ...store,
        applyMessages: async (messages, atMs) => {
          await store.applyMessages(messages, atMs);
          for (const { orderId, event } of messages.flatMap(({ moves }) => moves)) {
            const order = await store.find(orderId);
            const hasEnded = order?.status === 'cancelled' || order?.status === 'rejected';
            if (event.type !== 'payment.captured' || !hasEnded) continue;
            const { studentId, pickupNumber, lines } = order;
            const paid = { orderId, studentId, pickupNumber, atMs, lines: [...lines] };
            await ledger.transaction('revive', (tx) => tx.emit('order.paid', [paid]));
          }
        },
      }),
    }),
  },
  'charge not undone': {
    mistake: 'nothing is given back when an order is cancelled',
    compose: () => ({
      paymentStore: (store) => ({ ...store, beginRefunds: async () => undefined }),
    }),
  },
  'sold out before the key': {
    mistake: 'the gateway says "sold out" to a key that has an order',
    compose: () => ({
      ordersClient: (client) => ({
        ...client,
        call: (async (route, call, options) => {
          if ((route as object) !== ordersApi.lookUpKeys) return client.call(route, call, options);
          const { keys } = call.body as { keys: unknown[] };
          return { status: 200, body: { answers: keys.map(() => null) } };
        }) as typeof client.call,
      }),
    }),
  },
} satisfies Record<string, Planted>;

export type PlantedName = keyof typeof planted;
