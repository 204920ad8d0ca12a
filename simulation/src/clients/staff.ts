// The people behind the counter: the kitchen refuses a meal or hands it out, an admin adds stock and
// tops up wallets, somebody looks at what is left.

import type { Environment } from '@rushlight/chassis';
import { type Item, type MenuItem, publicApi } from '@rushlight/contracts';
import { kitchenRoutes } from '@rushlight/kitchen/protocol';
import { paymentRoutes } from '@rushlight/payments/protocol';
import type { SimServiceName } from '../shop/process-names.ts';
import type { Shop } from '../shop/shop.ts';
import { ask, endOf, userNamed } from './callers.ts';
import type { PlannedStock, PlannedTopUp } from './order-plan.ts';
import type { Asked, Ended, Recorder } from './recorder.ts';

const lookEveryMs = 900;
const triesMax = 5;

type Display = { tickets: { orderId: string; status: string }[] };

export class Staff {
  readonly #shop: Shop;
  readonly #recorder: Recorder;
  readonly #env: Environment;
  readonly #random: () => number;
  #atWork = true;
  /** Meals that somebody looked at: refused at most once. */
  readonly #judged = new Set<string>();

  constructor(shop: Shop, recorder: Recorder) {
    this.#shop = shop;
    this.#recorder = recorder;
    this.#env = shop.processes.staff.environment();
    this.#random = shop.world.dice('staff decides');
  }

  /** Nobody is at the counter any more. */
  goHome(): void {
    this.#atWork = false;
  }

  /** Works at the counter until it is time to go home. */
  async workInKitchen(): Promise<void> {
    while (this.#atWork) {
      await this.#env.sleep(lookEveryMs * (0.5 + this.#random()));
      const display = await this.#ask<Display>('kitchen', kitchenRoutes.tickets, {}).catch(
        () => undefined,
      );
      for (const { orderId, status } of display?.tickets ?? []) await this.#handle(orderId, status);
    }
  }

  async #handle(orderId: string, status: string): Promise<void> {
    if (!this.#atWork) return;
    const { refuseRate, collectRate } = this.#shop.settings;
    if (!this.#judged.has(orderId)) {
      this.#judged.add(orderId);
      if (this.#random() < refuseRate) return this.#refuse(orderId);
    }
    if (status !== 'ready' || this.#random() >= collectRate) return;
    const call = { params: { orderId } };
    await this.#ask('kitchen', kitchenRoutes.ticketCollected, call).catch(() => undefined);
  }

  async #refuse(orderId: string): Promise<void> {
    const asked: Asked = { type: 'invoke', op: 'refuse', orderId };
    const call = { params: { orderId }, body: { reason: 'burnt' } };
    await this.#recorded('kitchen', asked, async () => {
      await this.#ask('kitchen', kitchenRoutes.ticketRefused, call);
      return { type: 'ok', op: 'refuse' };
    });
  }

  async addStock({ atMs, itemId, quantity }: PlannedStock): Promise<void> {
    await this.#env.sleep(atMs);
    const params = { itemId };
    const item = await this.#ask<Item>('inventory', publicApi.getItem, { params }).catch(
      () => undefined,
    );
    if (!item) return;
    const asked: Asked = { type: 'invoke', op: 'add', itemId, quantity };
    const body = { version: item.version, addStock: quantity };
    await this.#recorded('admin', asked, async () => {
      await this.#ask('inventory', publicApi.editItem, { params, body });
      return { type: 'ok', op: 'add' };
    });
  }

  /** Asks again under the same key until it is known. */
  async topUp({ atMs, studentId, amountCents }: PlannedTopUp, key: string): Promise<void> {
    await this.#env.sleep(atMs);
    const call = { headers: { 'idempotency-key': key }, body: { studentId, amountCents } };
    for (let attempt = 1; attempt <= triesMax; attempt++) {
      const ended = await this.#ask('payments', paymentRoutes.topUp, call).then(
        () => undefined,
        (error) => endOf('add', error),
      );
      this.#shop.world.story.say('admin', () => `tops ${studentId} up: ${ended?.type ?? 'done'}`);
      if (ended?.type !== 'info') return;
      await this.#env.sleep(1_000 * this.#random());
    }
  }

  async lookAtStock(): Promise<void> {
    await this.#recorded('guest', { type: 'invoke', op: 'stock' }, async () => {
      const menu = await this.#ask<MenuItem[]>('inventory', publicApi.menu, { query: {} });
      const items = menu.map(({ itemId, available }) => ({ itemId, available }));
      return { type: 'ok', op: 'stock', items };
    });
  }

  async #recorded(proc: string, asked: Asked, work: () => Promise<Ended>): Promise<void> {
    const end = this.#recorder.invoke(proc, asked);
    end(await work().catch((error) => endOf(asked.op, error)));
  }

  #ask<B>(to: SimServiceName, route: Parameters<typeof ask>[3], call: object): Promise<B> {
    const { staff } = this.#shop.processes;
    const role = to === 'kitchen' ? 'kitchen' : 'admin';
    return ask<B>(this.#shop, staff, to, route, call, userNamed(role, role));
  }
}
