// What notifications keeps, as named atomic operations. Two implementations, one conformance suite.
//
// N1. Whoever can read the event with id n can read every event with a smaller id that there will
//     ever be: ids are given, and their events committed, one transaction after the other.
// N2. One event per order and status. A message that comes again changes nothing.

import type { EventOf, StreamEvent } from '@rushlight/contracts';

export type OrderStep = {
  orderId: string;
  studentId: string;
  status: OrderData['status'];
  pickupNumber: number;
  atMs: number;
  reason: OrderData['reason'] | undefined;
  readyAtMs: number | undefined;
};

type OrderData = Extract<StreamEvent, { kind: 'order' }>['data'];

/** What a message of the bus means here; three lists, each perhaps empty. */
export type TakenMessage = {
  messageId: string;
  steps: readonly OrderStep[];
  stock: readonly EventOf<'stock.changed'>[];
  items: readonly EventOf<'item.changed'>[];
};

export type StreamRow = {
  id: number;
  kind: 'order' | 'menu';
  studentId: string | null;
  orderId: string | null;
  status: string | null;
  data: string;
};

/** Whose events to read; an empty object is everybody's. */
export type Audience = { studentId?: string; orderId?: string };

export interface StreamStore {
  /**
   * Takes these messages in together: one transaction, those that were seen left out. Events are
   * kept from `nowMs` on, whenever their orders took that step.
   */
  take(messages: readonly TakenMessage[], nowMs: number): Promise<void>;
  /** Turns what changed on the menu into events. Returns how many. */
  tellMenu(nowMs: number): Promise<number>;
  /** Events in (after, upTo], by id. */
  read(after: number, upTo: number, limit: number, audience: Audience): Promise<StreamRow[]>;
  /** The last id given, and the last one that is no longer kept. */
  bounds(): Promise<{ headId: number; forgottenId: number }>;
  /** The student of an order, as far as its events are kept. */
  ownerOf(orderId: string): Promise<string | undefined>;
  /**
   * Hands the next steps to one of these statuses to `send`, and remembers how far it came once that
   * resolved; one process at a time. Returns how many.
   */
  sendMessages(
    limit: number,
    statuses: readonly string[],
    send: (rows: readonly StreamRow[]) => Promise<void>,
  ): Promise<number>;
  /** Forgets events from before this instant. Returns how many. */
  forget(beforeMs: number, rowsMax: number): Promise<number>;
}

/** Larger than any id. */
export const noLimit = Number.MAX_SAFE_INTEGER;

export type MenuState = {
  itemId: string;
  available: number | null;
  name: string | null;
  category: string | null;
  priceCents: number | null;
  removed: boolean | null;
};

/** The menu event of an item: what is known of it. */
export function menuData(state: MenuState): string {
  const { itemId, available, name, category, priceCents, removed } = state;
  return JSON.stringify({
    itemId,
    ...(available === null ? {} : { available }),
    ...(name === null ? {} : { name }),
    ...(category === null ? {} : { category }),
    ...(priceCents === null ? {} : { priceCents }),
    ...(removed === null ? {} : { removed }),
  });
}

/** The event of a step as clients get it. */
export function orderData(step: OrderStep): string {
  const { orderId, studentId, pickupNumber, status, reason, atMs, readyAtMs } = step;
  const data: OrderData = {
    orderId,
    studentId,
    pickupNumber,
    status,
    ...(reason === undefined ? {} : { reason }),
    at: new Date(atMs).toISOString(),
    ...(readyAtMs === undefined ? {} : { readyAt: new Date(readyAtMs).toISOString() }),
  };
  return JSON.stringify(data);
}
