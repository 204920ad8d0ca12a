// What the platform says of itself at the end, after everything is healed and drained. A part that
// could not be read is undefined, and the invariants that need it are "not checked".
//
// E1. Orders are read first, after the last client has ended, and everything else after them: so
//     what must follow from an order as it was read is there.

import type { Line } from './history.ts';

export type Evidence = {
  items: readonly ItemBooks[];
  /** Every order, those that no client knows of included. */
  orders: readonly OrderRecord[];
  /** What the card provider did, by its own ledger and in its order. */
  provider?: readonly MoneyMove[] | undefined;
  /** The same, as payments wrote it down. */
  mirror?: readonly MoneyMove[] | undefined;
  /** The sum of all double entries in cents, whenever somebody looked. */
  entrySums?: readonly number[] | undefined;
  /** What is, or was, set aside for an order. */
  holds?: readonly HoldRecord[] | undefined;
  /** What each student had before the first of these moves. Leave out whom somebody topped up. */
  wallets?: readonly Wallet[] | undefined;
  /** The orders that the provider turned down for reasons of its own. */
  declines?: readonly string[] | undefined;
  /** Each change of what can be sold, the initial stock included, in the order in which it was made. */
  stockMoves?: readonly StockMove[] | undefined;
  tickets?: readonly TicketRecord[] | undefined;
  /** The steps that stand in the event stream: one for each event that it holds. */
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
  /** What can still be sold. */
  left: number;
  /** Taken off the menu at some time. */
  removed?: boolean;
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
  /** Above zero for both kinds. */
  amountCents: number;
  student: string;
  atMs?: number;
};

export type Wallet = { student: string; openingCents: number };

export type HoldRecord = { orderId: string; status: 'held' | 'sold' | 'released' };

/** `by` is added to what is available of the item; one that leaves the menu loses all of it. */
export type StockMove = { atMs: number; itemId: string; by: number };

export type TicketRecord = { orderId: string; status: string };

export type Replay = { student: string; key: string; status: number; body: string };
