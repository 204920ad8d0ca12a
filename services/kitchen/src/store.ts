// The named atomic operations of the kitchen. Each is one transaction: inbox, effect and outbox
// together. Two stores implement them, Postgres and memory, and one conformance suite holds both.

import type { EventOf } from '@rushlight/contracts';
import type { Action, NewTicket, Ticket, TicketState, TicketStatus } from './ticket.ts';

export type TicketChange = EventOf<'ticket.changed'>;

export type Pressed =
  | { kind: 'done'; ticket: Ticket }
  | { kind: 'wrong_state'; status: TicketStatus }
  | { kind: 'unknown' };

export type Counts = { waiting: number; cooking: number; ready: number };
/** Tickets with their place in the queue while they wait. */
export type Placed = Ticket & { queuePosition: number | undefined };
export type Display = { waiting: number; tickets: Placed[] };

export type Agenda = {
  waiting: boolean;
  cooking: number;
  /** When the next one that cooks will be ready. */
  nextReadyAtMs: number | undefined;
};

export interface KitchenStore {
  /**
   * Takes tickets in, in the order given. Those that are there already stay as they are; for those
   * that were voided before they came, `ticket.changed` says so once more.
   */
  addTickets(messageId: string, tickets: readonly NewTicket[], nowMs: number): Promise<void>;
  /** Voids the tickets of orders that were cancelled, also before they come. Says nothing. */
  voidDead(messageId: string, orderIds: readonly string[], nowMs: number): Promise<void>;
  /** Fills the free stations in the order of arrival. Returns how many started. */
  startDue(options: {
    stations: number;
    auto: boolean;
    nowMs: number;
    limit: number;
  }): Promise<number>;
  /** What has cooked long enough is ready. Returns how many. */
  finishDue(nowMs: number, limit: number): Promise<number>;
  /** What has stood on the shelf since before this instant counts as collected. */
  collectDue(readyBeforeMs: number, nowMs: number, limit: number): Promise<number>;
  /** What there is to do; cheap. */
  agenda(): Promise<Agenda>;

  /** A button. Pressed again it gives the same ticket. `void` also works before the ticket came. */
  press(orderId: string, action: Action, nowMs: number, reason?: string): Promise<Pressed>;

  display(waitingMax: number, readyMax: number): Promise<Display>;
  /** Of these orders, the tickets that wait or cook. */
  placed(orderIds: readonly string[]): Promise<Placed[]>;
  cookingUntilMs(): Promise<number[]>;
  counts(): Promise<Counts>;
  page(
    after: string | undefined,
    limit: number,
  ): Promise<{ orderId: string; status: TicketStatus }[]>;
  /** Forgets tickets that ended and came before this instant, at most `limit`. */
  forget(beforeMs: number, limit: number): Promise<number>;
}

/** What the bus hears of a ticket's new state. */
export function changeOf(orderId: string, state: TicketState, atMs: number): TicketChange[] {
  const { status } = state;
  if (status === 'waiting') return [];
  if (status === 'cooking') return [{ orderId, status, atMs, readyAtMs: state.readyAtMs }];
  return [{ orderId, status, atMs }];
}
