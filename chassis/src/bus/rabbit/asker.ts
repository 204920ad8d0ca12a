// What RabbitMQ says about our queues, and what it cannot say (see rabbit-bus.ts).

import type { QueueName } from '@rushlight/contracts';
import type { Channel } from 'rabbitmq-client';
import type { Environment } from '../../environment.ts';
import type { DeliveryPolicy } from '../delivery.ts';
import type { Holdings } from './holdings.ts';
import { events, familyOf } from './topology.ts';
import type { Wire } from './wire.ts';

export type AskerOptions = {
  wire: Wire;
  holdings: Holdings;
  env: Environment;
  policy: DeliveryPolicy;
};

export class Asker {
  readonly #options: AskerOptions;
  readonly #openedAtMs: number;
  readonly #emptyAtMs = new Map<QueueName, number>();
  #opening: Promise<Channel> | undefined;

  constructor(options: AskerOptions) {
    this.#options = options;
    this.#openedAtMs = options.env.nowMs();
  }

  /** Messages that wait in this queue. */
  async ready(queue: string): Promise<number> {
    const { messageCount } = await this.#ask((channel) =>
      channel.queueDeclare({ queue, passive: true }),
    );
    return messageCount;
  }

  async ping(): Promise<void> {
    await this.#ask((channel) => channel.exchangeDeclare({ exchange: events, passive: true }));
  }

  async depth(queue: QueueName): Promise<number> {
    const { holdings } = this.#options;
    const before = holdings.count(queue);
    const waiting = await this.#waiting(queue);
    // What left our hands for another queue of the family meanwhile must not be missed.
    return waiting + Math.max(before, holdings.count(queue));
  }

  async oldestMs(queue: QueueName): Promise<number> {
    const { holdings, env } = this.#options;
    const waiting = await this.#waiting(queue);
    const nowMs = env.nowMs();
    const held = holdings.oldestAtMs(queue);
    const ages = held === undefined ? [0] : [0, nowMs - held];
    if (waiting > 0) {
      const emptyAtMs = this.#emptyAtMs.get(queue) ?? this.#openedAtMs;
      ages.push(nowMs - Math.max(emptyAtMs, holdings.takenAtMs(queue) ?? 0));
    }
    return Math.max(...ages);
  }

  /** In the order in which a message that is put off moves, so that it is not missed. */
  async #waiting(queue: QueueName): Promise<number> {
    const { policy, env } = this.#options;
    const { work, suspects, delays } = familyOf(queue, policy);
    let count = 0;
    for (const name of [...delays.map((delay) => delay.queue), work, suspects]) {
      count += await this.ready(name);
    }
    if (count === 0) this.#emptyAtMs.set(queue, env.nowMs());
    return count;
  }

  async #ask<T>(question: (channel: Channel) => Promise<T>): Promise<T> {
    const { wire } = this.#options;
    this.#opening ??= wire.channel();
    const opening = this.#opening;
    try {
      const channel = await opening;
      return await wire.answer('a question', question(channel));
    } catch (error) {
      // A question that was refused has cost its channel.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }
}
