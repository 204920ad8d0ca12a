// A student at a phone: orders, taps twice, asks again when nobody answered, looks, and changes her
// mind.

import type { Line } from '@rushlight/auditor';
import { type Environment, seededRandom } from '@rushlight/chassis';
import { type OrderView, orderApi, type Problem } from '@rushlight/contracts';
import type { Shop } from '../shop/shop.ts';
import { ask, clientDeadlineMs, endOf, failure, userNamed } from './callers.ts';
import type { PlannedOrder } from './order-plan.ts';
import type { Asked, Ended, Recorder } from './recorder.ts';

const triesMax = 6;
const retryMsMax = 1_500;
const betweenReadsMsMax = 2_500;

type KeyUse = { student: string; key: string };

export class Student {
  readonly #shop: Shop;
  readonly #recorder: Recorder;
  readonly #env: Environment;

  constructor(shop: Shop, recorder: Recorder) {
    this.#shop = shop;
    this.#recorder = recorder;
    this.#env = shop.processes.students.environment();
  }

  /** Does everything that was planned about one order. */
  async live(plan: PlannedOrder): Promise<void> {
    const random = seededRandom(plan.seed);
    await this.#env.sleep(plan.atMs);
    const taps = [this.#insist(`${plan.student}#${plan.index}`, plan, random)];
    if (plan.tapAgainMs !== undefined) taps.push(this.#tapAgain(plan, plan.tapAgainMs));
    const orderId = (await Promise.all(taps)).find((id) => id !== undefined);
    if (plan.reuse) await this.place(`${plan.student}#${plan.index}`, plan, plan.reuse);
    if (orderId === undefined) return;
    await Promise.all([this.#watch(plan, orderId, random), this.#giveUp(plan, orderId, random)]);
  }

  /** One attempt. */
  async place(proc: string, use: KeyUse, lines: readonly Line[]): Promise<Ended> {
    const { student, key } = use;
    const asked: Asked = { type: 'invoke', op: 'place', student, key, lines: [...lines] };
    const end = this.#recorder.invoke(proc, asked);
    const ended = await this.#send(student, key, lines).catch((error) => endOf('place', error));
    end(ended);
    return ended;
  }

  async #send(student: string, key: string, lines: readonly Line[]): Promise<Ended> {
    const shop = this.#shop;
    const { students, gateway } = shop.processes;
    const what = `POST orders ${key}`;
    const answer = await shop.network.call(students, gateway, what, clientDeadlineMs, () => {
      if (!shop.placeOrder) throw new Error('the gateway is up without its handler');
      const input = { headers: { 'idempotency-key': key }, body: { lines: [...lines] } };
      const context = { principal: userNamed(student), request: {} };
      return shop.placeOrder.handle(input as never, context as never);
    });
    const text = answer.body?.text ?? '';
    if (answer.status === 201 || answer.status === 202) {
      const { orderId } = JSON.parse(text) as OrderView;
      return { type: 'ok', op: 'place', status: answer.status, orderId, body: text };
    }
    const { code, itemId } = JSON.parse(text) as Problem;
    if (answer.status < 500) return failure('place', answer.status, code, itemId);
    return { type: 'info', op: 'place', status: answer.status, code, why: code };
  }

  /** Asks again under the same key until it is known what became of it, or patience ends. */
  async #insist(
    proc: string,
    plan: PlannedOrder,
    random: () => number,
  ): Promise<string | undefined> {
    const tries = this.#shop.settings.clientRetries === 1 ? triesMax : 1;
    for (let attempt = 1; attempt <= tries; attempt++) {
      const ended = await this.place(proc, plan, plan.lines);
      if (ended.type === 'ok' && ended.op === 'place') return ended.orderId;
      const again = ended.type === 'info' || ('code' in ended && ended.code === 'in_progress');
      if (!again) return undefined;
      await this.#env.sleep(100 + random() * retryMsMax);
    }
    return undefined;
  }

  async #tapAgain(plan: PlannedOrder, afterMs: number): Promise<string | undefined> {
    await this.#env.sleep(afterMs);
    const ended = await this.place(`${plan.student}#${plan.index}b`, plan, plan.lines);
    return ended.type === 'ok' && ended.op === 'place' ? ended.orderId : undefined;
  }

  async #watch(plan: PlannedOrder, orderId: string, random: () => number): Promise<void> {
    for (let count = 0; count < plan.reads; count++) {
      await this.#env.sleep(random() * betweenReadsMsMax);
      await this.read(`${plan.student}#${plan.index}`, plan.student, orderId);
    }
  }

  async read(proc: string, student: string, orderId: string): Promise<void> {
    const end = this.#recorder.invoke(proc, { type: 'invoke', op: 'read', orderId });
    const { students } = this.#shop.processes;
    const call = { params: { orderId } };
    const view = ask<OrderView>(
      ...([this.#shop, students, 'orders', orderApi.getOrder] as const),
      ...([call, userNamed(student)] as const),
    );
    const ended = await view.then(
      ({ status, reason }): Ended => {
        const order = { orderId, status, ...(reason === undefined ? {} : { reason }) };
        return { type: 'ok', op: 'read', order };
      },
      (error) => endOf('read', error),
    );
    end(ended);
  }

  async #giveUp(plan: PlannedOrder, orderId: string, random: () => number): Promise<void> {
    if (plan.cancelAfterMs === undefined) return;
    const { students } = this.#shop.processes;
    await this.#env.sleep(plan.cancelAfterMs);
    const tries = this.#shop.settings.clientRetries === 1 ? triesMax : 1;
    for (let attempt = 1; attempt <= tries; attempt++) {
      const proc = `${plan.student}#${plan.index}c`;
      const end = this.#recorder.invoke(proc, { type: 'invoke', op: 'cancel', orderId });
      const call = { params: { orderId } };
      const done = ask(
        ...([this.#shop, students, 'orders', orderApi.cancelOrder] as const),
        ...([call, userNamed(plan.student)] as const),
      );
      const ended = await done.then(
        (): Ended => ({ type: 'ok', op: 'cancel' }),
        (error) => endOf('cancel', error),
      );
      end(ended);
      if (ended.type !== 'info') return;
      await this.#env.sleep(100 + random() * retryMsMax);
    }
  }
}
