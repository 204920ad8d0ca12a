// What the platform says of itself at the end, after everything is healed and drained. A part that
// could not be read is undefined, and the invariants that need it are "not checked".

import type { Line } from './history.ts';

export type Evidence = {
  items: readonly ItemBooks[];
  /** Every order, those that no client knows of included. */
  orders: readonly OrderRecord[];
  /** What the card provider did, by its own ledger. */
  provider?: readonly MoneyMove[] | undefined;
  /** The same, as payments wrote it down. */
  mirror?: readonly MoneyMove[] | undefined;
  /** The sum of all double entries in cents, whenever somebody looked. */
  entrySums?: readonly number[] | undefined;
  /** What is, or was, set aside for an order. */
  holds?: readonly HoldRecord[] | undefined;
  /** Each change of what can be sold, in the order in which it was made. */
  stockMoves?: readonly StockMove[] | undefined;
  tickets?: readonly TicketRecord[] | undefined;
  /** The steps that stand in the event stream. */
  notices?: readonly { orderId: string; status: string }[] | undefined;
  /** What the same key was answered at the end, by (student, key). */
  replays?: readonly Replay[] | undefined;
};

export type ItemBooks = {
  itemId: string;
  initial: number;
  added: number;
  sold: number;
  held: number;
  left: number;
};

export type OrderRecord = {
  orderId: string;
  student: string;
  /** Undefined where it was freed. */
  key?: string | undefined;
  lines: readonly Line[];
  totalCents: number;
  status: string;
  reason?: string | undefined;
  history: readonly { status: string; atMs: number }[];
};

export type MoneyMove = {
  orderId: string;
  kind: 'capture' | 'refund';
  amountCents: number;
  student: string;
};

export type HoldRecord = { orderId: string; status: 'held' | 'sold' | 'released' };

/** `by` is added to what is available of the item. */
export type StockMove = { atMs: number; itemId: string; by: number };

export type TicketRecord = { orderId: string; status: string };

export type Replay = { student: string; key: string; status: number; body: string };
