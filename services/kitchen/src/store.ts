// The named atomic operations of the kitchen. Each is one transaction: inbox, effect and outbox
// together. Two stores implement them, Postgres and memory, and one conformance suite holds both.

import type { EventOf } from '@rushlight/contracts';
import type { Start } from './stations.ts';
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

/** What a message of the bus means here: orders that were paid, and orders that are dead. */
export type TakenMessage = {
  messageId: string;
  tickets: readonly NewTicket[];
  dead: readonly string[];
};
/** How many of the new tickets are not ready yet. */
export type TakenIn = { unready: number };
export type Kitchen = { stations: number; auto: boolean };

export type Agenda = {
  waiting: boolean;
  cooking: number;
  /** When the next one that cooks will be ready. */
  nextReadyAtMs: number | undefined;
};

export interface KitchenStore {
  /**
   * Takes these messages in together, those that were seen left out: voids what is dead, then adds
   * the tickets in the order given. Those that are there already stay as they are; for those that
   * were voided before they came, `ticket.changed` says so once more.
   *
   * @param kitchen if given, tickets start at once where a station is free and nobody waits
   */
  takeIn(messages: readonly TakenMessage[], nowMs: number, kitchen?: Kitchen): Promise<TakenIn>;
  /** Fills the free stations in the order of arrival. Returns how many started. */
  startDue(options: Kitchen & { nowMs: number; limit: number }): Promise<number>;
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

/** What the bus hears of a ticket that starts, and of one that thereby is ready. */
export function startOf(
  { orderId, station, readyAtMs, readyAtOnce }: Start,
  nowMs: number,
): TicketChange[] {
  const cooking = changeOf(orderId, { status: 'cooking', station, readyAtMs }, nowMs);
  return readyAtOnce
    ? [...cooking, ...changeOf(orderId, { status: 'ready', readyAtMs: nowMs }, nowMs)]
    : cooking;
}

/** The first ticket of each order: a paid order that is announced twice is one meal. */
export function eachOnce(tickets: readonly NewTicket[]): NewTicket[] {
  const first = new Map<string, NewTicket>();
  for (const ticket of tickets) if (!first.has(ticket.orderId)) first.set(ticket.orderId, ticket);
  return [...first.values()];
}
