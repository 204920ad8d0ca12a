// A history and the evidence, sorted by what they speak of in one pass, for the invariants to read.
//
// F1. An end belongs to the invocation with its call number, which stands before it. A history where
//     that is not so was recorded wrongly, and is not judged at all.
// F2. `index` is a place in the history: of two things that one client does, the one with the lower
//     index came first. Across clients, an end before an invocation came before it, too.

import type { Evidence, OrderRecord } from './evidence.ts';
import type { End, Entry, Invoke, Line, Notice } from './history.ts';
import { fingerprint } from './lines.ts';
import type { CheckOptions, Listener } from './verdict.ts';

type Op = Invoke['op'];
type OkOf<O extends Op, E = Extract<End, { type: 'ok' }>> = E extends { op: infer P }
  ? O extends P
    ? E
    : never
  : never;
type EndOf<O extends Op> = OkOf<O> | Extract<End, { type: 'fail' | 'info' }>;
type InvokeOf<O extends Op> = Extract<Invoke, { op: O }>;

/** What was asked, and, when the client ever learned of it, how that ended. */
export type Call<O extends Op = Op> = {
  invoke: InvokeOf<O>;
  invokeIndex: number;
  end: EndOf<O> | undefined;
  endIndex: number;
};
export type Placement = Call<'place'>;
export type Interruption = Call<'cancel'> | Call<'refuse'>;

/** All attempts to place one order. */
export type KeyUse = { student: string; key: string; placements: Placement[] };

export type Acknowledgement = {
  orderId: string;
  use: KeyUse;
  placement: Placement;
  status: 201 | 202;
};

/** That somebody saw an order, or was told that there is none. */
export type Sighting = {
  proc: string;
  status: string | undefined;
  invokeIndex: number;
  endIndex: number;
};

export type Settings = Required<Omit<CheckOptions, 'listeners'>> & {
  listeners: readonly Listener[];
};

export type Facts = {
  settings: Settings;
  evidence: Evidence;
  placements: Placement[];
  /** By `keyOf`. */
  uses: Map<string, KeyUse>;
  /** Every answer 201 or 202, in the order in which they came. */
  acknowledgements: Acknowledgement[];
  /** The first of them, by order. */
  acknowledged: Map<string, Acknowledgement>;
  sightings: Map<string, Sighting[]>;
  interruptions: Map<string, Interruption[]>;
  adds: Call<'add'>[];
  stockReads: OkOf<'stock'>[];
  calls: Call[];
  notices: Notice[];
  /** By id. */
  orders: Map<string, OrderRecord>;
  /** By `keyOf`; the first where there are two. */
  orderOfKey: Map<string, OrderRecord>;
};

export function keyOf(student: string, key: string): string {
  return `${student}\n${key}`;
}

export function settingsOf(options: CheckOptions): Settings {
  return {
    drained: options.drained,
    clientGraceMs: options.clientGraceMs ?? 10,
    clocksShifted: options.clocksShifted ?? false,
    shortBeforeMs: options.shortBeforeMs ?? 1_000,
    deadlineMs: options.deadlineMs ?? 60_000,
    listeners: options.listeners ?? [],
  };
}

/** @throws Error for a history that breaks F1 */
export function gather(history: Iterable<Entry>, evidence: Evidence, settings: Settings): Facts {
  const facts: Facts = {
    ...{ settings, evidence },
    ...{ placements: [], acknowledgements: [], adds: [], stockReads: [], calls: [], notices: [] },
    ...{ uses: new Map(), acknowledged: new Map(), sightings: new Map() },
    ...{ interruptions: new Map(), orders: new Map(), orderOfKey: new Map() },
  };
  for (const order of evidence.orders) {
    facts.orders.set(order.orderId, order);
    if (order.key === undefined) continue;
    const key = keyOf(order.student, order.key);
    if (!facts.orderOfKey.has(key)) facts.orderOfKey.set(key, order);
  }
  const callOf = new Map<number, Call>();
  let index = 0;
  for (const entry of history) {
    if (entry.type === 'heard') facts.notices.push(entry);
    else if (entry.type === 'invoke') begin(facts, callOf, entry, index);
    else end(facts, callOf, entry, index);
    index++;
  }
  return facts;
}

function begin(facts: Facts, callOf: Map<number, Call>, invoke: Invoke, invokeIndex: number): void {
  if (callOf.has(invoke.call)) throw broken(invoke, 'is invoked twice');
  const endIndex = Number.POSITIVE_INFINITY;
  const call = { invoke, invokeIndex, end: undefined, endIndex } as Call;
  callOf.set(invoke.call, call);
  facts.calls.push(call);
  switch (invoke.op) {
    case 'place':
      facts.placements.push(call as Placement);
      useOf(facts, invoke).placements.push(call as Placement);
      return;
    case 'cancel':
    case 'refuse':
      listIn(facts.interruptions, invoke.orderId).push(call as Interruption);
      return;
    case 'add':
      facts.adds.push(call as Call<'add'>);
      return;
    case 'read':
    case 'stock':
      return;
  }
}

function end(facts: Facts, callOf: Map<number, Call>, entry: End, endIndex: number): void {
  const call = callOf.get(entry.call);
  if (!call) throw broken(entry, 'ends before it is invoked');
  const { invoke, invokeIndex } = call;
  if (call.end) throw broken(entry, 'ends twice');
  if (invoke.op !== entry.op) throw broken(entry, `was invoked as ${invoke.op}`);
  Object.assign(call, { end: entry, endIndex });
  const see = (orderId: string, status: string | undefined): void => {
    const { proc } = entry;
    listIn(facts.sightings, orderId).push({ proc, status, invokeIndex, endIndex });
  };
  if (entry.type === 'fail' && 'orderId' in invoke && entry.code === 'order_not_found') {
    see(invoke.orderId, undefined);
  }
  if (entry.type !== 'ok') return;
  if (entry.op === 'place') acknowledge(facts, call as Placement, entry);
  else if (entry.op === 'read') see(entry.order.orderId, entry.order.status);
  else if (entry.op === 'cancel' && invoke.op === 'cancel') see(invoke.orderId, 'cancelled');
  else if (entry.op === 'stock') facts.stockReads.push(entry);
}

function acknowledge(
  facts: Facts,
  placement: Placement,
  { orderId, status }: Extract<End, { type: 'ok'; op: 'place' }>,
): void {
  const acknowledgement = { orderId, use: useOf(facts, placement.invoke), placement, status };
  facts.acknowledgements.push(acknowledgement);
  if (!facts.acknowledged.has(orderId)) facts.acknowledged.set(orderId, acknowledgement);
}

function useOf(facts: Facts, { student, key }: InvokeOf<'place'>): KeyUse {
  const id = keyOf(student, key);
  const known = facts.uses.get(id);
  if (known) return known;
  const use: KeyUse = { student, key, placements: [] };
  facts.uses.set(id, use);
  return use;
}

export function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const known = lists.get(key);
  if (known) return known;
  const list: T[] = [];
  lists.set(key, list);
  return list;
}

function broken({ call, proc }: { call: number; proc: string }, what: string): Error {
  return new Error(`The history is broken: call ${call} of ${proc} ${what}. Mend the recording.`);
}

/** Whether this call, for all the client knows, may have had an effect. */
export function mayHaveHappened({ end: ended }: { end: End | undefined }): boolean {
  return ended?.type !== 'fail';
}

/** The lines that were ever asked for under a key. */
export function linesOf(use: KeyUse): (readonly Line[])[] {
  return use.placements.map(({ invoke }) => invoke.lines);
}

/** A refusal that was told at once, and whose key may try again. */
export function isFreed({ key, status, reason }: OrderRecord): boolean {
  return key === undefined && status === 'rejected' && reason === 'sold_out';
}

/** For how many keys of a student (`keyOf` of her and the lines) there may be an order without key. */
export function wishesOf({ uses, orderOfKey }: Facts): Map<string, number> {
  const wishes = new Map<string, number>();
  for (const [id, use] of uses) {
    if (orderOfKey.has(id) || !use.placements.some(mayHaveHappened)) continue;
    for (const lines of new Set(linesOf(use).map(fingerprint))) {
      const wish = keyOf(use.student, lines);
      wishes.set(wish, (wishes.get(wish) ?? 0) + 1);
    }
  }
  return wishes;
}
