// Sends messages so that the broker has them when it says so.
//
// P1. All of a call go out one after the other and are confirmed in any order; it is done when the
//     last one is. What is refused, unroutable or not confirmed in time throws: the outcome is unknown.
// P2. While the broker takes no messages nothing is sent: calls wait for their time, then throw. So
//     what is tried again and again does not pile up in front of it.
// P3. The topology is declared at each connection, and again when a message found no queue.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Channel } from 'rabbitmq-client';
import type { Environment } from '../../environment.ts';
import { UnavailableError } from '../../store/store.ts';
import type { DeliveryPolicy } from '../delivery.ts';
import type { Outgoing } from './frames.ts';
import { declareTopology } from './topology.ts';
import type { Wire } from './wire.ts';

export type PublisherOptions = {
  wire: Wire;
  env: Environment;
  policy: DeliveryPolicy;
  /** The longest wait until a broker that takes nothing takes something. */
  blockedMsMax: number;
};

/** Unconfirmed messages of one call at most. */
const unconfirmedMax = 256;
/** Making a queue takes a broker several writes to its disk. */
const declareMsMax = 20_000;

type Open = { channel: Channel; returned: Set<string> };

export class Publisher {
  readonly #options: PublisherOptions;
  #opening: Promise<Open> | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Connects and declares; throws UnavailableError, or what the broker has against it. */
  async ready(): Promise<void> {
    await this.#open();
  }

  /** Throws UnavailableError; then some of them may have arrived (P1). */
  async send(messages: readonly Outgoing[]): Promise<void> {
    for (let from = 0; from < messages.length; from += unconfirmedMax) {
      await this.#sendSome(messages.slice(from, from + unconfirmedMax));
    }
  }

  async #sendSome(messages: readonly Outgoing[]): Promise<void> {
    const { wire } = this.#options;
    await this.#unblocked();
    const { channel, returned } = await this.#open();
    const confirms = messages.map(({ envelope, body }) => channel.basicPublish(envelope, body));
    const settled = await wire.answer('publishing', Promise.allSettled(confirms));
    const refused = settled.find((confirm) => confirm.status === 'rejected');
    if (refused) {
      const reason = (refused.reason as Error).message;
      throw new UnavailableError('bus', `bus: publishing: ${reason}`, { cause: refused.reason });
    }
    // What could not be routed is said before it is confirmed, and heard a turn later.
    await nextTurn();
    const lost = messages.find(({ envelope }) => returned.delete(envelope.messageId ?? ''));
    if (!lost) return;
    this.#opening = undefined;
    void channel.close();
    const { exchange, routingKey } = lost.envelope;
    throw new UnavailableError('bus', `bus: no queue takes "${routingKey}" from "${exchange}"`);
  }

  async #unblocked(): Promise<void> {
    const { wire, env, blockedMsMax } = this.#options;
    if (wire.blocked === undefined) return;
    const late = Promise.withResolvers<void>();
    const cancel = env.after(blockedMsMax, late.resolve);
    await Promise.race([wire.unblocked, late.promise]);
    cancel();
    if (wire.blocked === undefined) return;
    throw new UnavailableError('bus', `bus: the broker takes no messages: ${wire.blocked}`);
  }

  #open(): Promise<Open> {
    if (this.#opening) return this.#opening;
    const opening = this.#openNow();
    const forget = (): void => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    this.#opening = opening;
    opening.then(({ channel }) => {
      channel.once('close', forget);
      if (!channel.active) forget();
    }, forget);
    return opening;
  }

  async #openNow(): Promise<Open> {
    const { wire, policy } = this.#options;
    const channel = await wire.channel();
    const returned = new Set<string>();
    channel.on('basic.return', ({ messageId }) => void returned.add(messageId ?? ''));
    await wire.answer('declaring the queues', declareTopology(channel, policy), declareMsMax);
    await wire.answer('confirms', channel.confirmSelect());
    return { channel, returned };
  }
}
