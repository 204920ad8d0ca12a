// Ways to spoil any run, each in one place: what they need may not be there.

import type { InvariantId } from '../src/index.ts';
import type { Run } from './shop-model.ts';

/** Spoils something, chosen by a number. False when this run has nothing of the kind. */
type Spoil = (run: Run, choice: number) => boolean;

const served = ['paid', 'in_kitchen', 'ready', 'collected'];
const isServed = ({ status }: { status: string }): boolean => served.includes(status);

function choose<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % Math.max(1, list.length)];
}

function drop<T>(list: T[], choice: number, isMeant: (one: T) => boolean): boolean {
  const found = choose(list.filter(isMeant), choice);
  if (found) list.splice(list.indexOf(found), 1);
  return found !== undefined;
}

function double<T>(list: T[], choice: number, isMeant: (one: T) => boolean): boolean {
  const found = choose(list.filter(isMeant), choice);
  if (found) list.push(structuredClone(found));
  return found !== undefined;
}

function change<T extends object>(found: T | undefined, to: Partial<T>): boolean {
  if (found) Object.assign(found, to);
  return found !== undefined;
}

function acknowledgedIds({ history }: Run): Set<string> {
  return new Set(
    history.flatMap((entry) => (entry.type === 'ok' && entry.op === 'place' ? entry.orderId : [])),
  );
}

export const spoils: Record<string, { caughtBy: InvariantId; spoil: Spoil }> = {
  'answer two keys with one order': {
    caughtBy: 'I1',
    spoil: ({ history }) => {
      const answers = history.filter((entry) => entry.type === 'ok' && entry.op === 'place');
      const ids = answers.map((entry) => ('orderId' in entry ? entry.orderId : ''));
      const other = answers.find((_, index) => ids[index] !== ids[0]);
      return change<object>(other, { orderId: ids[0] });
    },
  },
  'sell below zero for a moment': {
    caughtBy: 'I5',
    spoil: ({ evidence: { items, stockMoves } }, choice) => {
      const item = choose(items, choice);
      if (!item) return false;
      const move = { itemId: item.itemId, atMs: 2_000_000 };
      stockMoves.push({ ...move, by: -1 - item.left }, { ...move, by: 1 + item.left });
      return true;
    },
  },
  'drop an acknowledged order': {
    caughtBy: 'I2',
    spoil: (run, choice) => {
      const ids = acknowledgedIds(run);
      return drop(run.evidence.orders, choice, ({ orderId }) => ids.has(orderId));
    },
  },
  'answer with another order': {
    caughtBy: 'I2',
    spoil: ({ history }, choice) => {
      const answers = history.filter((entry) => entry.type === 'ok' && entry.op === 'place');
      return change<object>(choose(answers, choice), { orderId: 'order-0' });
    },
  },
  'take an order twice': {
    caughtBy: 'I4',
    spoil: ({ evidence: { orders } }, choice) => {
      const found = choose(
        orders.filter(({ key }) => key !== undefined),
        choice,
      );
      if (found) orders.push({ ...structuredClone(found), orderId: 'order-0' });
      return found !== undefined;
    },
  },
  'swap two steps of an order': {
    caughtBy: 'I3',
    spoil: ({ evidence: { orders } }, choice) => {
      const history = choose(orders, choice)?.history ?? [];
      const [one, other] = history;
      if (one && other) [one.status, other.status] = [other.status, one.status];
      return other !== undefined;
    },
  },
  'let an order stand still': {
    caughtBy: 'I3',
    spoil: ({ evidence: { orders } }, choice) => {
      const found = choose(orders, choice);
      found?.history.splice(1);
      return change(found, { status: 'pending' });
    },
  },
  'sell a portion too many': {
    caughtBy: 'I6',
    spoil: ({ evidence: { items } }, choice) => {
      const item = choose(items, choice);
      return change(item, { sold: (item?.sold ?? 0) + 1 });
    },
  },
  'keep a portion back': {
    caughtBy: 'I6',
    spoil: ({ evidence: { items } }, choice) => {
      const item = choose(
        items.filter(({ left }) => left > 0),
        choice,
      );
      return change(item, { held: 1, left: (item?.left ?? 0) - 1 });
    },
  },
  'lose a move of stock': {
    caughtBy: 'I6',
    spoil: ({ evidence }, choice) => drop(evidence.stockMoves, choice, ({ by }) => by !== 0),
  },
  'double a capture': {
    caughtBy: 'I7',
    spoil: ({ evidence }, choice) =>
      double(evidence.provider, choice, ({ kind }) => kind === 'capture'),
  },
  'lose a refund': {
    caughtBy: 'I7',
    spoil: ({ evidence }, choice) =>
      drop(evidence.provider, choice, ({ kind }) => kind === 'refund'),
  },
  'lose a posting of the mirror': {
    caughtBy: 'I8',
    spoil: ({ evidence }, choice) => drop(evidence.mirror, choice, () => true),
  },
  'lose a ticket': {
    caughtBy: 'I9',
    spoil: ({ evidence }, choice) =>
      drop(evidence.tickets, choice, ({ status }) => status !== 'refused'),
  },
  'void a ticket': {
    caughtBy: 'I9',
    spoil: ({ evidence }, choice) => {
      const alive = evidence.tickets.filter(({ status }) => status !== 'refused');
      return change(choose(alive, choice), { status: 'voided' });
    },
  },
  'cook twice': {
    caughtBy: 'I9',
    spoil: ({ evidence }, choice) =>
      double(evidence.tickets, choice, ({ status }) => status !== 'refused'),
  },
  'lose a notice': {
    caughtBy: 'I10',
    spoil: ({ evidence }, choice) =>
      drop(evidence.notices, choice, ({ status }) =>
        ['paid', 'rejected', 'cancelled'].includes(status),
      ),
  },
  'tell a client twice': {
    caughtBy: 'I10',
    spoil: ({ history }, choice) => double(history, choice, ({ type }) => type === 'heard'),
  },
  'make up an order': {
    caughtBy: 'I11',
    spoil: ({ evidence: { orders } }, choice) => {
      const found = choose(orders, choice);
      if (found) orders.push({ ...structuredClone(found), orderId: 'order-0', key: 'no key' });
      return found !== undefined;
    },
  },
  'charge nobody': {
    caughtBy: 'I11',
    spoil: ({ evidence: { provider } }, choice) => {
      const found = choose(provider, choice);
      if (found) provider.push({ ...found, orderId: 'order-0' });
      return found !== undefined;
    },
  },
  'sell the stock of a dead order': {
    caughtBy: 'I11',
    spoil: ({ evidence }, choice) => {
      const dead = evidence.holds.filter(({ status }) => status === 'released');
      return change(choose(dead, choice), { status: 'sold' });
    },
  },
  'cancel by itself': {
    caughtBy: 'I12',
    spoil: (run, choice) => {
      const cancelled = run.evidence.orders.filter(({ status }) => status === 'cancelled');
      const found = choose(cancelled, choice);
      if (!found) return false;
      const asked = run.history.flatMap((entry) =>
        entry.type === 'invoke' && 'orderId' in entry && entry.op !== 'read'
          ? entry.orderId === found.orderId
            ? entry.call
            : []
          : [],
      );
      run.history = run.history.filter(
        (entry) => entry.type === 'heard' || !asked.includes(entry.call),
      );
      return true;
    },
  },
  'refuse although there is plenty': {
    caughtBy: 'I12',
    spoil: ({ history, evidence }) => {
      const refused = history.some((entry) => entry.type === 'fail' && entry.code === 'sold_out');
      for (const move of evidence.stockMoves) if (move.by > 0) move.by += 1_000;
      return refused;
    },
  },
  'read what never was': {
    caughtBy: 'I13',
    spoil: ({ history, evidence: { orders } }, choice) => {
      const reads = history.filter((entry) => entry.type === 'ok' && entry.op === 'read');
      const found = choose(reads, choice);
      if (found?.type !== 'ok' || found.op !== 'read') return false;
      const { orderId } = found.order;
      const order = orders.find((one) => one.orderId === orderId);
      const status = order && isServed(order) ? 'rejected' : 'ready';
      if (order?.history.some((step) => step.status === status)) return false;
      found.order = { orderId, status };
      return true;
    },
  },
  'lose a posting': {
    caughtBy: 'I14',
    spoil: ({ evidence }, choice) => evidence.entrySums.push(1 + choice) > 0,
  },
  'change a byte of a replay': {
    caughtBy: 'I15',
    spoil: (run, choice) => {
      const ids = acknowledgedIds(run);
      const known = run.evidence.replays.filter(({ body }) => {
        return [...ids].some((orderId) => body.includes(`"${orderId}"`));
      });
      const found = choose(known, choice);
      return change(found, { body: `${found?.body} ` });
    },
  },
};
