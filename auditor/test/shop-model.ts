// A shop in which nothing goes wrong, on a clock of its own: it takes orders, and writes the history
// of its clients and the evidence of its books as it goes. Tests then spoil one thing.

import type {
  End,
  Entry,
  Evidence,
  HoldRecord,
  ItemBooks,
  Line,
  MoneyMove,
  OrderRecord,
  StockMove,
  TicketRecord,
} from '../src/index.ts';

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };
export type Run = {
  history: Entry[];
  evidence: { -readonly [K in keyof Evidence]-?: Mutable<NonNullable<Evidence[K]>> };
};

/** How the answer to an order comes: at once, when inventory is slow, or never. */
export type Way = 'at once' | 'queued' | 'lost';
/** What becomes of an order for which there is stock. */
export type Fate =
  | 'collected'
  | 'paid'
  | 'refused'
  | 'cancelled'
  | 'no funds'
  | 'declined'
  | 'late';

type Placed = { order: Mutable<OrderRecord>; answer: string; status: 201 | 202; fate: Fate };

const priceCents = 500;
const openingCents = 100_000;
export const deadlineMs = 60_000;

export class Shop {
  readonly history: Entry[] = [];
  nowMs = 1_000_000;
  #calls = 0;
  #events = 0;
  readonly #placed = new Map<string, Placed>();
  readonly #open: Placed[] = [];
  readonly #items = new Map<string, ItemBooks>();
  readonly #holds = new Map<string, HoldRecord['status']>();
  readonly #tickets = new Map<string, string>();
  readonly #orders: Mutable<OrderRecord>[] = [];
  readonly #money: MoneyMove[] = [];
  readonly #stockMoves: StockMove[] = [];
  readonly #notices: { orderId: string; status: string }[] = [];
  readonly #declines: string[] = [];
  readonly #students = new Map<string, number>();

  constructor(stock: Record<string, number>) {
    for (const [itemId, initial] of Object.entries(stock)) {
      this.#items.set(itemId, { itemId, initial, added: 0, sold: 0, held: 0, left: 0 });
      this.#move(itemId, initial);
    }
    this.#pass(10_000);
  }

  /** Asks for an order, as often as the student likes. Returns its id, if there is one. */
  place(
    student: string,
    key: string,
    lines: Line[],
    way: Way = 'at once',
    fate: Fate = 'collected',
  ) {
    const { call, proc } = this.#invoke(student, { op: 'place', student, key, lines });
    const known = this.#placed.get(`${student} ${key}`);
    const placed = known ?? this.#accept(student, key, lines, way, fate);
    if (!placed) {
      const itemId = lines[0]?.itemId ?? '';
      this.#end({ type: 'fail', op: 'place', status: 422, code: 'sold_out', itemId, call, proc });
      return undefined;
    }
    const { orderId } = placed.order;
    if (way === 'lost')
      this.#end({ type: 'info', op: 'place', why: 'the line is dead', call, proc });
    else {
      const { status, answer: body } = placed;
      this.#end({ type: 'ok', op: 'place', status, orderId, body, call, proc });
    }
    return orderId;
  }

  /** Asks, and learns for sure or not that nothing happened. */
  placeInVain(student: string, key: string, lines: Line[], status: 429 | 503 | undefined): void {
    const { call, proc } = this.#invoke(student, { op: 'place', student, key, lines });
    if (status === 429) {
      this.#end({ type: 'fail', op: 'place', status, code: 'rate_limited', call, proc });
    } else {
      const known = status === undefined ? {} : { status, code: 'outcome_unknown' };
      this.#end({ type: 'info', op: 'place', ...known, why: 'no answer', call, proc });
    }
  }

  read(proc: string, orderId: string): void {
    const { call } = this.#invoke(proc, { op: 'read', orderId });
    const order = this.#orders.find((one) => one.orderId === orderId);
    if (!order) throw new Error(`no order ${orderId}`);
    const { status, reason } = order;
    const seen = reason === undefined ? { orderId, status } : { orderId, status, reason };
    this.#end({ type: 'ok', op: 'read', order: seen, call, proc });
  }

  add(itemId: string, quantity: number): void {
    const { call, proc } = this.#invoke('admin', { op: 'add', itemId, quantity });
    const item = this.#item(itemId);
    item.added += quantity;
    this.#move(itemId, quantity);
    this.#end({ type: 'ok', op: 'add', call, proc });
  }

  readStock(proc: string): void {
    const { call } = this.#invoke(proc, { op: 'stock' });
    const items = [...this.#items.values()].map(({ itemId, left }) => ({
      itemId,
      available: left,
    }));
    this.#end({ type: 'ok', op: 'stock', items, call, proc });
  }

  /** Takes some open order to its end. */
  settle(which = 0): void {
    const [placed] = this.#open.splice(which % Math.max(1, this.#open.length), 1);
    if (placed) this.#finish(placed);
  }

  /** Drains the shop, and reads its books. */
  close(): Run {
    while (this.#open.length > 0) this.settle();
    const replays = [...this.#placed.values()].map(({ order, status, answer: body }) => {
      return { student: order.student, key: order.key ?? '', status, body };
    });
    const evidence = {
      items: [...this.#items.values()],
      orders: this.#orders,
      provider: this.#money,
      mirror: [...this.#money].reverse(),
      entrySums: [0, 0],
      holds: [...this.#holds].map(([orderId, status]): HoldRecord => ({ orderId, status })),
      stockMoves: this.#stockMoves,
      tickets: [...this.#tickets].map(([orderId, status]): TicketRecord => ({ orderId, status })),
      notices: this.#notices,
      replays,
      wallets: [...this.#students].map(([student, cents]) => ({ student, openingCents: cents })),
      declines: this.#declines,
    };
    return structuredClone({ history: this.history, evidence });
  }

  #accept(student: string, key: string, lines: Line[], way: Way, fate: Fate): Placed | undefined {
    const orderId = `order-${this.#orders.length + 1}`;
    const total = lines.reduce((sum, { quantity }) => sum + quantity * priceCents, 0);
    const opening = this.#students.get(student) ?? (fate === 'no funds' ? 1 : openingCents);
    this.#students.set(student, opening);
    const order: Mutable<OrderRecord> = {
      ...{ orderId, student, key, lines: structuredClone(lines), totalCents: total },
      ...{ status: 'pending', history: [{ status: 'pending', atMs: this.nowMs }] },
    };
    this.#orders.push(order);
    const isShort = lines.some((line) => this.#item(line.itemId).left < line.quantity);
    this.#pass(5);
    if (isShort && way !== 'queued') {
      this.#step(order, 'rejected', 'sold_out');
      delete order.key;
      return undefined;
    }
    if (way === 'queued') this.#step(order, 'queued');
    const answer = `{"orderId":"${orderId}","status":"${order.status}"}`;
    const placed: Placed = { order, answer, status: way === 'queued' ? 202 : 201, fate };
    this.#placed.set(`${student} ${key}`, placed);
    if (isShort) {
      this.#pass(5);
      this.#step(order, 'rejected', 'sold_out');
      return placed;
    }
    for (const { itemId, quantity } of lines) {
      this.#item(itemId).held += quantity;
      this.#move(itemId, -quantity);
    }
    this.#holds.set(orderId, 'held');
    this.#step(order, 'stock_verified');
    this.#open.push(placed);
    return placed;
  }

  #finish({ order, fate }: Placed): void {
    const { student, orderId, totalCents } = order;
    const balance = this.#balanceOf(student);
    switch (balance < totalCents ? 'no funds' : fate) {
      case 'no funds':
        if (balance < totalCents) this.#undo(order, 'rejected', 'insufficient_funds');
        else this.#pay(order);
        return;
      case 'declined':
        this.#declines.push(orderId);
        this.#undo(order, 'rejected', 'payment_declined');
        return;
      case 'late':
        this.#pass(deadlineMs);
        this.#undo(order, 'rejected', 'deadline');
        return;
      case 'cancelled': {
        const { call, proc } = this.#invoke(student, { op: 'cancel', orderId });
        this.#undo(order, 'cancelled', 'student');
        this.#end({ type: 'ok', op: 'cancel', call, proc });
        return;
      }
      case 'paid':
        this.#pay(order);
        return;
      case 'collected':
        this.#pay(order);
        for (const status of ['in_kitchen', 'ready', 'collected']) this.#step(order, status);
        this.#tickets.set(orderId, 'collected');
        return;
      case 'refused': {
        this.#pay(order);
        const { call, proc } = this.#invoke('kitchen', { op: 'refuse', orderId });
        this.#tickets.set(orderId, 'refused');
        this.#end({ type: 'ok', op: 'refuse', call, proc });
        this.#undo(order, 'cancelled', 'kitchen');
        this.#money.push({
          orderId,
          kind: 'refund',
          amountCents: totalCents,
          student,
          atMs: this.nowMs,
        });
      }
    }
  }

  #pay(order: Mutable<OrderRecord>): void {
    const { orderId, student, totalCents, lines } = order;
    const atMs = this.nowMs;
    this.#money.push({ orderId, kind: 'capture', amountCents: totalCents, student, atMs });
    for (const { itemId, quantity } of lines) {
      const item = this.#item(itemId);
      item.held -= quantity;
      item.sold += quantity;
    }
    this.#holds.set(orderId, 'sold');
    this.#tickets.set(orderId, 'waiting');
    this.#step(order, 'paid');
  }

  #undo(order: Mutable<OrderRecord>, status: string, reason: string): void {
    const where = this.#holds.get(order.orderId) === 'sold' ? 'sold' : 'held';
    this.#holds.set(order.orderId, 'released');
    this.#step(order, status, reason);
    for (const { itemId, quantity } of order.lines) {
      this.#item(itemId)[where] -= quantity;
      this.#move(itemId, quantity);
    }
  }

  #step(order: Mutable<OrderRecord>, status: string, reason?: string): void {
    this.#pass(3);
    order.status = status;
    if (reason !== undefined) order.reason = reason;
    order.history.push({ status, atMs: this.nowMs });
    const { orderId, student } = order;
    this.#notices.push({ orderId, status });
    const t = this.nowMs;
    const eventId = ++this.#events;
    this.history.push({ type: 'heard', t, proc: `${student} stream`, eventId, orderId, status });
  }

  #invoke<T extends object>(proc: string, what: T): { call: number; proc: string } {
    this.#pass(7);
    const call = ++this.#calls;
    this.history.push({ type: 'invoke', t: this.nowMs, proc, call, ...what } as unknown as Entry);
    this.#pass(1);
    return { call, proc };
  }

  #end(end: End extends infer E ? (E extends unknown ? Omit<E, 't'> : never) : never): void {
    this.#pass(1);
    this.history.push({ ...end, t: this.nowMs } as Entry);
  }

  #balanceOf(student: string): number {
    const moves = this.#money.filter((move) => move.student === student);
    return moves.reduce(
      (sum, { kind, amountCents }) => sum + (kind === 'capture' ? -amountCents : amountCents),
      this.#students.get(student) ?? 0,
    );
  }

  #move(itemId: string, by: number): void {
    this.#item(itemId).left += by;
    this.#stockMoves.push({ atMs: this.nowMs, itemId, by });
  }

  #item(itemId: string): ItemBooks {
    const item = this.#items.get(itemId);
    if (!item) throw new Error(`no item ${itemId}`);
    return item;
  }

  #pass(ms: number): void {
    this.nowMs += ms;
  }
}
