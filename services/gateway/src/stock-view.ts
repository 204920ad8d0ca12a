// What is left of each item, as far as this process knows: a hint that lets it say "sold out" without
// a write and without a lock.
//
// V1. Of what is heard about an item's stock the largest stockVersion is kept, in whatever order it
//     comes.
// V2. "Short" is only said when a full reading that began less than a second ago is in the view. So
//     at some instant of the last second it was true, also when broadcasts are late or lost: an item
//     that is restocked is never refused for longer than that. The time that a reading lay in a
//     cache counts: it is as old as it is, whoever made it.
// V3. A reading is under way soon after anybody needed one, never two at a time, and not again right
//     after a failure.
// V4. When the view does not know, or cannot know, orders decides.

import type { Environment, Reading } from '@rushlight/chassis';
import type {
  EventOf,
  Input,
  inventoryApi,
  MenuItem,
  OrderLine,
  publicApi,
  Reply,
} from '@rushlight/contracts';

export type StockItem = Extract<
  Reply<typeof inventoryApi.stock>,
  { status: 200 }
>['body']['items'][number];
export type Short = { itemId: string; left: number };

const trustedMs = 900;
const renewAfterMs = 500;
const pauseAfterFailureMs = 250;

export type StockViewOptions = {
  env: Pick<Environment, 'monotonicMs'>;
  /** Reads all items from inventory, now or a moment ago; has a deadline of its own. */
  read: () => Promise<Reading<readonly StockItem[]>>;
};

export class StockView {
  readonly #options: StockViewOptions;
  readonly #items = new Map<string, StockItem>();
  /** When the newest reading that succeeded was begun. */
  #readAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: StockViewOptions) {
    this.#options = options;
  }

  /** Reads everything anew; joins a reading that is under way. Throws what the reading throws. */
  refresh(): Promise<void> {
    this.#running ??= this.#read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Makes sure that a reading is under way, unless the last one is young or just failed. */
  refreshSoon(): void {
    const nowMs = this.#options.env.monotonicMs();
    if (nowMs - this.#readAtMs < renewAfterMs) return;
    if (nowMs - this.#failedAtMs < pauseAfterFailureMs) return;
    this.refresh().catch(() => undefined);
  }

  /** The first line that asks for more than the view has. A hint; see `confirmShort`. */
  findShort(lines: readonly OrderLine[]): Short | undefined {
    for (const { itemId, quantity } of lines) {
      const item = this.#items.get(itemId);
      if (item === undefined) this.refreshSoon();
      else if (item.available < quantity && !item.removed) return { itemId, left: item.available };
    }
    return undefined;
  }

  /**
   * The line that is short for sure at some instant of the last second (V2), or undefined when
   * none is, or nobody can say.
   */
  async confirmShort(lines: readonly OrderLine[]): Promise<Short | undefined> {
    const { env } = this.#options;
    this.refreshSoon();
    if (!this.#isTrusted() && env.monotonicMs() - this.#failedAtMs >= pauseAfterFailureMs) {
      await this.refresh().catch(() => undefined);
    }
    return this.#isTrusted() ? this.findShort(lines) : undefined;
  }

  hearStock(events: readonly EventOf<'stock.changed'>[]): void {
    for (const { itemId, available, stockVersion } of events) {
      const item = this.#items.get(itemId);
      if (!item) this.refreshSoon();
      else if (stockVersion > item.stockVersion) {
        this.#items.set(itemId, { ...item, available, stockVersion });
      }
    }
  }

  hearItems(events: readonly EventOf<'item.changed'>[]): void {
    for (const event of events) {
      const item = this.#items.get(event.itemId);
      if (!item) this.refreshSoon();
      else if (event.version > item.version) this.#items.set(event.itemId, { ...item, ...event });
    }
  }

  /** The menu as the view has it, or undefined when it was never filled. */
  menu({ q, category }: Input<typeof publicApi.menu>['query']): MenuItem[] | undefined {
    if (this.#readAtMs === Number.NEGATIVE_INFINITY) return undefined;
    const words = q?.trim().toLowerCase() ?? '';
    const wanted = category?.trim().toLowerCase() ?? '';
    return [...this.#items.values()]
      .filter((item) => !item.removed)
      .filter((item) => wanted === '' || item.category.toLowerCase() === wanted)
      .filter((item) => `${item.name}\n${item.category}`.toLowerCase().includes(words))
      .map(({ itemId, name, category: course, priceCents, available }) => {
        return { itemId, name, category: course, priceCents, available };
      });
  }

  #isTrusted(): boolean {
    return this.#options.env.monotonicMs() - this.#readAtMs < trustedMs;
  }

  async #read(): Promise<void> {
    const { env, read } = this.#options;
    try {
      const { value: items, beganMs } = await read();
      if (beganMs < this.#readAtMs) return; // Of what is newer nothing would come back.
      const seen = new Set<string>();
      for (const item of items) {
        seen.add(item.itemId);
        this.#items.set(item.itemId, newest(this.#items.get(item.itemId), item));
      }
      for (const itemId of this.#items.keys()) if (!seen.has(itemId)) this.#items.delete(itemId);
      this.#readAtMs = beganMs;
    } catch (error) {
      this.#failedAtMs = env.monotonicMs();
      throw error;
    }
  }
}

/** What was heard meanwhile may be newer than what was read: stock and description by themselves. */
function newest(known: StockItem | undefined, read: StockItem): StockItem {
  if (!known) return read;
  const { available, onHand, reserved, stockVersion } =
    known.stockVersion > read.stockVersion ? known : read;
  const described = known.version > read.version ? known : read;
  return { ...described, available, onHand, reserved, stockVersion };
}
