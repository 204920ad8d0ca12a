// The books of four services, read page by page in step, one order id after the other: millions of
// orders need the memory of a few pages.

import type { Client, Environment } from '@rushlight/chassis';
import {
  ApiError,
  type AuditedHold,
  type AuditedOrder,
  type AuditedPayment,
  type AuditReport,
  inventoryApi,
  kitchenApi,
  ordersApi,
  paymentsApi,
} from '@rushlight/contracts';
import { failureOfCall } from './answers.ts';
import type { AuditedTicket, Dossier, ItemSums, Violation } from './audit.ts';

export type AuditClients = Record<'orders' | 'inventory' | 'payments' | 'kitchen', Client>;
type Row = { orderId: string };
type Page<T> = { rows: T[]; next?: string | undefined };
type ReadPage<T> = (query: { after?: string; limit: string }) => Promise<Page<T>>;

export type Books = {
  orders: ReadPage<AuditedOrder>;
  holds: ReadPage<AuditedHold>;
  payments: ReadPage<AuditedPayment>;
  tickets: ReadPage<AuditedTicket>;
  /** The sums that came with the pages, the newest of each. */
  sums: {
    byStatus: AuditReport['orders']['byStatus'];
    items: ItemSums[];
    money: AuditReport['money'];
  };
  /** Rules that a service itself saw broken. */
  told: Map<string, Violation>;
  /** True when no item moved from the first page to the last: then holds can be compared with it. */
  wasQuiet(): boolean;
  /** Reads what comes with every page, without the pages. */
  readSums(): Promise<void>;
};

const pageSize = 5_000;
const pageDeadlineMs = 4_000;

/** @param endsMs after this instant of the monotonic clock no page is asked for */
export function openBooks(
  clients: AuditClients,
  endsMs: number,
  env: Pick<Environment, 'monotonicMs'>,
): Books {
  const sums: Books['sums'] = {
    byStatus: {},
    items: [],
    money: { captured: 0, refunded: 0, balanced: true },
  };
  const told: Books['told'] = new Map();
  const seenItems = new Set<string>();
  const hear = (violations: readonly Violation[]): void => {
    for (const one of violations) told.set(`${one.rule} ${one.subject}`, one);
  };
  const inTime = <T>(read: ReadPage<T>, part: string): ReadPage<T> => {
    return async (query) => {
      if (env.monotonicMs() > endsMs)
        throw new ApiError('unavailable', { part: 'audit', waitS: 5 });
      return await read(query).catch((error) => {
        throw failureOfCall(error, part, true);
      });
    };
  };
  const options = { deadlineMs: pageDeadlineMs };
  const books: Books = {
    sums,
    told,
    wasQuiet: () => seenItems.size <= 1,
    readSums: async () => {
      await Promise.all([books.holds({ limit: '1' }), books.payments({ limit: '1' })]);
    },
    orders: inTime(async (query) => {
      const { body } = await clients.orders.call(ordersApi.auditOrders, { query }, options);
      if (query.after === undefined) sums.byStatus = body.byStatus;
      return { rows: body.orders, next: body.next };
    }, 'orders'),
    holds: inTime(async (query) => {
      const { body } = await clients.inventory.call(inventoryApi.auditStock, { query }, options);
      sums.items = body.items;
      seenItems.add(JSON.stringify(body.items));
      hear(body.violations);
      return { rows: body.holds, next: body.next };
    }, 'inventory'),
    payments: inTime(async (query) => {
      const { body } = await clients.payments.call(paymentsApi.auditPayments, { query }, options);
      const { capturedCents, refundedCents, balanced } = body;
      sums.money = { captured: capturedCents, refunded: refundedCents, balanced };
      hear(body.violations);
      return { rows: body.payments, next: body.next };
    }, 'payments'),
    tickets: inTime(async (query) => {
      const { body } = await clients.kitchen.call(kitchenApi.auditTickets, { query }, options);
      return { rows: body.tickets, next: body.next };
    }, 'kitchen'),
  };
  return books;
}

/**
 * Visits every order id that any service knows, in order.
 *
 * @param after ids up to this one are left out
 * @param visit false ends the walk
 */
export async function walk(
  books: Books,
  after: string | undefined,
  visit: (dossier: Dossier) => boolean,
): Promise<void> {
  const orders = new Reader(books.orders, after);
  const holds = new Reader(books.holds, after);
  const payments = new Reader(books.payments, after);
  const tickets = new Reader(books.tickets, after);
  const all = [orders, holds, payments, tickets];
  for (;;) {
    const empty = all.filter((reader) => reader.isEmpty());
    if (empty.length > 0) await Promise.all(empty.map((reader) => reader.fill()));
    const orderId = lowest(all);
    if (orderId === undefined) return;
    const goesOn = visit({
      orderId,
      order: orders.take(orderId),
      hold: holds.take(orderId),
      payment: payments.take(orderId),
      ticket: tickets.take(orderId),
    });
    if (!goesOn) return;
  }
}

function lowest(readers: readonly Reader<Row>[]): string | undefined {
  let found: string | undefined;
  for (const { front } of readers) {
    if (front && (found === undefined || front.orderId < found)) found = front.orderId;
  }
  return found;
}

/** Rows of one service in order; the next page is on its way while one is read. */
class Reader<T extends Row> {
  readonly #read: ReadPage<T>;
  #rows: T[] = [];
  #at = 0;
  #coming: Promise<Page<T>> | undefined;

  constructor(read: ReadPage<T>, after: string | undefined) {
    this.#read = read;
    this.#ask(after);
  }

  get front(): T | undefined {
    return this.#rows[this.#at];
  }

  /** Nothing in front, and more to come. */
  isEmpty(): boolean {
    return this.#at >= this.#rows.length && this.#coming !== undefined;
  }

  async fill(): Promise<void> {
    while (this.#at >= this.#rows.length && this.#coming !== undefined) {
      const { rows, next } = await this.#coming;
      this.#rows = rows;
      this.#at = 0;
      if (next === undefined) this.#coming = undefined;
      else this.#ask(next);
    }
  }

  take(orderId: string): T | undefined {
    const { front } = this;
    if (front?.orderId !== orderId) return undefined;
    this.#at++;
    return front;
  }

  #ask(after: string | undefined): void {
    this.#coming = this.#read({
      limit: String(pageSize),
      ...(after === undefined ? {} : { after }),
    });
    // Whoever fills will see the failure; until then it is nobody's.
    this.#coming.catch(() => undefined);
  }
}
