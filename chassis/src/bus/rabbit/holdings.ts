// What this process holds of each queue: given to it, and neither acknowledged nor given back.

import type { QueueName } from '@rushlight/contracts';
import type { Channel } from 'rabbitmq-client';
import type { StoredMessage } from '../delivery.ts';

/** A message in our hands. */
export type Held = {
  queue: QueueName;
  channel: Channel;
  deliveryTag: number;
  stored: StoredMessage;
};

export class Holdings {
  readonly #held = new Set<Held>();
  readonly #takenAtMs = new Map<QueueName, number>();

  add(held: Held): void {
    this.#takenAtMs.set(held.queue, held.stored.atMs);
    this.#held.add(held);
  }

  count(queue: QueueName): number {
    return this.#of(queue).length;
  }

  /** When the oldest of them was published; undefined when there is none. */
  oldestAtMs(queue: QueueName): number | undefined {
    const held = this.#of(queue);
    return held.length === 0 ? undefined : Math.min(...held.map(({ stored }) => stored.atMs));
  }

  /** When what was taken last was published. */
  takenAtMs(queue: QueueName): number | undefined {
    return this.#takenAtMs.get(queue);
  }

  acknowledge(held: Held): void {
    const { channel, deliveryTag } = held;
    if (this.#held.delete(held) && channel.active) channel.basicAck({ deliveryTag });
  }

  giveBack(held: Held): void {
    const { channel, deliveryTag } = held;
    if (this.#held.delete(held) && channel.active) {
      channel.basicNack({ deliveryTag, requeue: true });
    }
  }

  /** Whether it is still ours to decide on. */
  has(held: Held): boolean {
    return this.#held.has(held);
  }

  /** What was given on a channel that is closed is not ours any more. */
  forget(channel: Channel): void {
    for (const held of this.#held) if (held.channel === channel) this.#held.delete(held);
  }

  #of(queue: QueueName): Held[] {
    return [...this.#held].filter((held) => held.queue === queue);
  }
}
