// The same operations in memory, for tests and simulations of the protocol.

import type { MemoryLedger } from '@rushlight/chassis';
import { inTimeOrder } from './steps.ts';
import {
  type Audience,
  type MenuState,
  menuData,
  type OrderStep,
  orderData,
  type StreamRow,
  type StreamStore,
  type TakenMessage,
} from './store.ts';

type KeptRow = StreamRow & { atMs: number };
type KeptItem = MenuState & { stockVersion: number; itemVersion: number; dirty: boolean };

export class MemoryStreamStore implements StreamStore {
  readonly #ledger: MemoryLedger;
  readonly #rows: KeptRow[] = [];
  readonly #steps = new Set<string>();
  readonly #menu = new Map<string, KeptItem>();
  #headId = 0;
  #forgottenId = 0;
  #sentId = 0;

  constructor(ledger: MemoryLedger) {
    this.#ledger = ledger;
  }

  take(messages: readonly TakenMessage[], nowMs: number): Promise<void> {
    return this.#ledger.transaction('take', (tx) => {
      const fresh = messages.filter((message) => tx.isNew(message.messageId));
      tx.change(() => {
        this.#addStock(fresh.flatMap((message) => message.stock));
        this.#addItems(fresh.flatMap((message) => message.items));
        this.#addSteps(inTimeOrder(fresh.flatMap((message) => message.steps)), nowMs);
      });
    });
  }

  tellMenu(nowMs: number): Promise<number> {
    return this.#ledger.transaction('tellMenu', (tx) => {
      const dirty = [...this.#menu.values()].filter((item) => item.dirty);
      tx.change(() => {
        for (const item of dirty) {
          item.dirty = false;
          const whose = { studentId: null, orderId: null, status: null };
          const data = menuData(item);
          this.#rows.push({ id: ++this.#headId, kind: 'menu', ...whose, data, atMs: nowMs });
        }
      });
      return dirty.length;
    });
  }

  async read(after: number, upTo: number, limit: number, audience: Audience): Promise<StreamRow[]> {
    return this.#rows
      .filter((row) => row.id > after && row.id <= upTo && isFor(row, audience))
      .slice(0, limit);
  }

  async bounds(): Promise<{ headId: number; forgottenId: number }> {
    return { headId: this.#headId, forgottenId: this.#forgottenId };
  }

  async ownerOf(orderId: string): Promise<string | undefined> {
    return this.#rows.find((row) => row.orderId === orderId)?.studentId ?? undefined;
  }

  async sendMessages(
    limit: number,
    statuses: readonly string[],
    send: (rows: readonly StreamRow[]) => Promise<void>,
  ): Promise<number> {
    const headId = this.#headId;
    const next = this.#rows
      .filter(({ id, kind }) => id > this.#sentId && id <= headId && kind === 'order')
      .filter(({ status }) => statuses.includes(status ?? ''))
      .slice(0, limit);
    if (next.length > 0) await send(next);
    this.#sentId = next.length === limit ? (next.at(-1)?.id ?? headId) : headId;
    return next.length;
  }

  async forget(beforeMs: number, rowsMax: number): Promise<number> {
    const fresh = this.#rows.findIndex((row) => row.atMs >= beforeMs);
    const count = Math.min(rowsMax, fresh === -1 ? this.#rows.length : fresh);
    const old = this.#rows.splice(0, count);
    this.#forgottenId = Math.max(this.#forgottenId, old.at(-1)?.id ?? 0);
    for (const row of old) this.#steps.delete(stepKey(row));
    return old.length;
  }

  #addSteps(steps: readonly OrderStep[], nowMs: number): void {
    for (const step of steps) {
      const { orderId, studentId, status } = step;
      const key = stepKey({ orderId, status });
      if (this.#steps.has(key)) continue;
      this.#steps.add(key);
      const id = ++this.#headId;
      const data = orderData(step);
      this.#rows.push({ id, kind: 'order', studentId, orderId, status, data, atMs: nowMs });
    }
  }

  #addStock(changes: TakenMessage['stock']): void {
    for (const { itemId, available, stockVersion } of changes) {
      const item = this.#item(itemId);
      if (stockVersion <= item.stockVersion) continue;
      Object.assign(item, { available, stockVersion, dirty: true });
    }
  }

  #addItems(changes: TakenMessage['items']): void {
    for (const { itemId, version, name, category, priceCents, removed } of changes) {
      const item = this.#item(itemId);
      if (version <= item.itemVersion) continue;
      const news = { name, category, priceCents, removed, itemVersion: version, dirty: true };
      Object.assign(item, news);
    }
  }

  #item(itemId: string): KeptItem {
    const item = this.#menu.get(itemId) ?? {
      ...{ itemId, available: null, name: null, category: null, priceCents: null, removed: null },
      ...{ stockVersion: -1, itemVersion: -1, dirty: false },
    };
    this.#menu.set(itemId, item);
    return item;
  }
}

function stepKey({ orderId, status }: { orderId: string | null; status: string | null }): string {
  return `${orderId} ${status}`;
}

function isFor(row: StreamRow, { studentId, orderId }: Audience): boolean {
  if (orderId !== undefined && row.orderId !== orderId) return false;
  return studentId === undefined || row.studentId === studentId || row.studentId === null;
}
