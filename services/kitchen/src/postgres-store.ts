// The operations of the kitchen on Postgres. Whatever changes several tickets locks the kitchen's
// one row first: so stations are filled by one replica at a time, and nobody waits in a circle.

import type { Statement, Transaction } from '@rushlight/chassis';
import { statements } from './statements.ts';
import { planStarts, type Start, type Waiting } from './stations.ts';
import {
  type Agenda,
  type Counts,
  changeOf,
  type Display,
  eachOnce,
  type Kitchen,
  type KitchenStore,
  type Placed,
  type Pressed,
  startOf,
  type TakenIn,
  type TakenMessage,
  type TicketChange,
} from './store.ts';
import {
  type Action,
  advance,
  eventOf,
  type NewTicket,
  type Ticket,
  type TicketLine,
  type TicketState,
  type TicketStatus,
} from './ticket.ts';

/** The part of a store of the chassis that the kitchen uses. */
export type Database = {
  transaction<T>(operation: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

type Row = {
  orderId: string;
  pickupNumber: number;
  lines: TicketLine[];
  status: TicketStatus;
  cookMs: number;
  station: number | null;
  readyAtMs: number | null;
  reason: string | null;
  arrivedAtMs: number;
  queuePosition?: number | null;
};
type Id = { orderId: string };

export class PostgresKitchenStore implements KitchenStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  takeIn(messages: readonly TakenMessage[], nowMs: number, kitchen?: Kitchen): Promise<TakenIn> {
    return this.#database.transaction('take_in', async (tx) => {
      // The lock makes the order of arrival the order in which others see them.
      const [fresh] = await Promise.all([
        tx.newOf(messages.map(({ messageId }) => messageId)),
        tx.query(statements.lock),
      ]);
      const taken = messages.filter(({ messageId }) => fresh.delete(messageId));
      const dead = [...new Set(taken.flatMap((message) => message.dead))];
      if (dead.length > 0) await tx.query(statements.voidDead, [dead, nowMs]);
      const tickets = eachOnce(taken.flatMap((message) => message.tickets));
      return tickets.length > 0 ? addTickets(tx, tickets, nowMs, kitchen) : { unready: 0 };
    });
  }

  startDue(options: Kitchen & { nowMs: number; limit: number }) {
    const { nowMs, limit } = options;
    return this.#database.transaction('start_due', async (tx) => {
      await tx.query(statements.lock);
      const busy = await tx.query<{ station: number }>(statements.busyStations);
      const waiting = await tx.query<Waiting>(statements.oldestWaiting, [limit]);
      const stations = busy.map(({ station }) => station);
      const starts = planStarts({ ...options, waiting, busy: stations });
      if (starts.length === 0) return 0;
      await tx.query(statements.start, [
        starts.map(({ orderId }) => orderId),
        starts.map(({ station }) => station),
        starts.map(({ readyAtMs }) => readyAtMs),
        starts.map(({ readyAtOnce }) => readyAtOnce),
      ]);
      await tx.emit(
        'ticket.changed',
        starts.flatMap((start) => startOf(start, nowMs)),
      );
      return starts.length;
    });
  }

  finishDue(nowMs: number, limit: number): Promise<number> {
    return this.#database.transaction('finish_due', async (tx) => {
      await tx.query(statements.lock);
      const ready = await tx.query<Id>(statements.finishDue, [nowMs, limit]);
      await say(tx, ready, { status: 'ready', readyAtMs: nowMs }, nowMs);
      return ready.length;
    });
  }

  collectDue(readyBeforeMs: number, nowMs: number, limit: number): Promise<number> {
    return this.#database.transaction('collect_due', async (tx) => {
      await tx.query(statements.lock);
      const collected = await tx.query<Id>(statements.collectDue, [readyBeforeMs, limit]);
      await say(tx, collected, { status: 'collected' }, nowMs);
      return collected.length;
    });
  }

  async agenda(): Promise<Agenda> {
    type Found = { waiting: boolean; cooking: number; nextReadyAtMs: number | null };
    const [found] = await this.#database.query<Found>(statements.agenda);
    return {
      waiting: found?.waiting ?? false,
      cooking: found?.cooking ?? 0,
      nextReadyAtMs: found?.nextReadyAtMs ?? undefined,
    };
  }

  press(orderId: string, action: Action, nowMs: number, reason = ''): Promise<Pressed> {
    return this.#database.transaction(`press_${action}`, async (tx): Promise<Pressed> => {
      if (action === 'void') {
        const made = await tx.query<Id>(statements.tombstone, [orderId, nowMs]);
        await say(tx, made, { status: 'voided' }, nowMs);
      }
      const [row] = await tx.query<Row>(statements.one, [orderId]);
      if (!row) return { kind: 'unknown' };
      const ticket = ticketOf(row);
      const step = advance(ticket.state, eventOf(action, nowMs, reason));
      switch (step.kind) {
        case 'refused':
          return { kind: 'wrong_state', status: row.status };
        case 'repeated':
          return { kind: 'done', ticket };
        case 'moved':
          await move(tx, orderId, step.state, nowMs);
          return { kind: 'done', ticket: { ...ticket, state: step.state } };
      }
    });
  }

  async display(waitingMax: number, readyMax: number): Promise<Display> {
    const [rows, [counted]] = await Promise.all([
      this.#database.query<Row>(statements.display, [waitingMax, readyMax]),
      this.#database.query<{ waiting: number }>(statements.countWaiting),
    ]);
    return { waiting: counted?.waiting ?? 0, tickets: rows.map(placedOf) };
  }

  async placed(orderIds: readonly string[]): Promise<Placed[]> {
    return (await this.#database.query<Row>(statements.placed, [orderIds])).map(placedOf);
  }

  async cookingUntilMs(): Promise<number[]> {
    const rows = await this.#database.query<{ readyAtMs: number }>(statements.cookingUntil);
    return rows.map(({ readyAtMs }) => readyAtMs);
  }

  async counts(): Promise<Counts> {
    const [counts] = await this.#database.query<Counts>(statements.counts);
    return counts ?? { waiting: 0, cooking: 0, ready: 0 };
  }

  page(after: string | undefined, limit: number) {
    type Found = { orderId: string; status: TicketStatus };
    return this.#database.query<Found>(statements.page, [after ?? null, limit]);
  }

  async forget(beforeMs: number, limit: number): Promise<number> {
    return (await this.#database.query(statements.forget, [beforeMs, limit])).length;
  }
}

type Situation = { waiting: boolean; busy: number[]; known: string[] };

/** Those that start at once are written as what they are then: nobody sees them wait. */
async function addTickets(
  tx: Transaction,
  tickets: readonly NewTicket[],
  nowMs: number,
  kitchen: Kitchen | undefined,
): Promise<TakenIn> {
  const ids = tickets.map(({ orderId }) => orderId);
  const [found] = await tx.query<Situation>(statements.situation, [ids]);
  const known = new Set(found?.known);
  const newcomers = tickets.filter(({ orderId }) => !known.has(orderId));
  const starts =
    kitchen && !found?.waiting
      ? planStarts({ ...kitchen, waiting: newcomers, busy: found?.busy ?? [], nowMs })
      : [];
  const startBy = new Map(starts.map((start) => [start.orderId, start]));
  const added = await tx.query<Id>(statements.add, [...columnsOf(tickets, startBy), nowMs]);
  const changes = added.flatMap(({ orderId }) => {
    const start = startBy.get(orderId);
    return start ? startOf(start, nowMs) : [];
  });
  if (changes.length > 0) await tx.emit('ticket.changed', changes);
  if (added.length < tickets.length) {
    const voided = await tx.query<Id>(statements.voidedAmong, [ids]);
    await say(tx, voided, { status: 'voided' }, nowMs);
  }
  const ready = added.filter(({ orderId }) => startBy.get(orderId)?.readyAtOnce);
  return { unready: added.length - ready.length };
}

function columnsOf(tickets: readonly NewTicket[], startBy: ReadonlyMap<string, Start>) {
  const starts = tickets.map(({ orderId }) => startBy.get(orderId));
  return [
    tickets.map((ticket) => ticket.orderId),
    tickets.map((ticket) => ticket.pickupNumber),
    tickets.map((ticket) => JSON.stringify(ticket.lines)),
    tickets.map((ticket) => ticket.cookMs),
    starts.map((start) => (start ? (start.readyAtOnce ? 'ready' : 'cooking') : 'waiting')),
    starts.map((start) => (start?.readyAtOnce ? null : (start?.station ?? null))),
    starts.map((start) => start?.readyAtMs ?? null),
  ];
}

async function say(
  tx: Transaction,
  tickets: readonly Id[],
  state: TicketState,
  nowMs: number,
): Promise<void> {
  const changes: TicketChange[] = tickets.flatMap(({ orderId }) => changeOf(orderId, state, nowMs));
  if (changes.length > 0) await tx.emit('ticket.changed', changes);
}

async function move(
  tx: Transaction,
  orderId: string,
  state: TicketState,
  nowMs: number,
): Promise<void> {
  const station = state.status === 'cooking' ? state.station : null;
  const readyAtMs = 'readyAtMs' in state ? state.readyAtMs : null;
  const reason = state.status === 'refused' ? state.reason : null;
  await tx.query(statements.move, [orderId, state.status, station, readyAtMs, reason]);
  await say(tx, [{ orderId }], state, nowMs);
}

function placedOf(row: Row): Placed {
  return { ...ticketOf(row), queuePosition: row.queuePosition ?? undefined };
}

function ticketOf(row: Row): Ticket {
  const { orderId, pickupNumber, lines, cookMs, arrivedAtMs } = row;
  return { orderId, pickupNumber, lines, cookMs, arrivedAtMs, state: stateOf(row) };
}

function stateOf({ status, station, readyAtMs, reason }: Row): TicketState {
  switch (status) {
    case 'cooking':
      return { status, station: station ?? 0, readyAtMs: readyAtMs ?? 0 };
    case 'ready':
      return { status, readyAtMs: readyAtMs ?? 0 };
    case 'refused':
      return { status, reason: reason ?? '' };
    case 'waiting':
    case 'collected':
    case 'voided':
      return { status };
  }
}
