// Takes messages out of one queue of RabbitMQ and hands them to a handler.
//
// R1. A message is acknowledged after its handler resolved, or after what becomes of it (a later try,
//     its parts, a letter) was confirmed. A crash in between means a message twice, never none.
// R2. Not more than `concurrency` calls of `messagesMax` messages are given to us ahead: what we do
//     not work on, others can. What we have and did not begin is given back when we close.
// R3. The broker counts how often it gave a message out in vain. It counts what was held, and also
//     what was given back: so the innocent become suspects, and as suspects are handled, alone (D4).
//     Only in the queue of suspects, where one message is given out at a time, is it a count of deaths.
// R4. Whatever ends a channel (a lost connection, a queue that is gone) is mended by a new one, ever
//     more slowly. What was held on the old one is no longer ours.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueueName } from '@rushlight/contracts';
import type { AsyncMessage, Channel } from 'rabbitmq-client';
import { type Bell, createBell } from '../../bell.ts';
import type { Environment } from '../../environment.ts';
import type { Log } from '../../log.ts';
import { within } from '../../within.ts';
import type { BatchHandler, BatchOptions, Subscription } from '../bus.ts';
import { type DeliveryPolicy, deathsUnsuspected } from '../delivery.ts';
import { type BatchLimits, batchLimits } from '../hand-over.ts';
import type { BusHooks } from '../hooks.ts';
import { deliver, type Given, insist } from './delivering.ts';
import { readFate, readReturns, readStored, toQueue } from './frames.ts';
import type { Holdings } from './holdings.ts';
import type { Publisher } from './publisher.ts';
import { declareTopology, type Family, familyOf } from './topology.ts';
import type { Wire } from './wire.ts';

export type ConsumerParts = {
  wire: Wire;
  publisher: Publisher;
  holdings: Holdings;
  env: Environment;
  log: Log;
  policy: DeliveryPolicy;
  /** How long `close` waits for handlers; what then still runs is delivered again. */
  drainMsMax: number;
  hooks: BusHooks;
};

/** What all deliveries of one consumer have in common. */
export type Lane = ConsumerParts & {
  queue: QueueName;
  family: Family;
  handle: BatchHandler;
  limits: BatchLimits;
  closing: AbortSignal;
};

/** Both channels of a consumer; it ends with either of them. */
type Session = { main: Channel; suspects: Channel; tags: string[]; ended: Promise<void> };

const reopenMsMin = 50;
const reopenMsMax = 3_000;
const leaveMsMax = 1_000;
const idleMsMax = 60_000;
const lookMs = 5_000;
const declareMsMax = 20_000;

/** Starts to consume; see Bus.consumeBatches. */
export function startConsumer(
  parts: ConsumerParts,
  queue: QueueName,
  handle: BatchHandler,
  options: BatchOptions,
): Subscription {
  return new Consumer(parts, queue, handle, batchLimits(options));
}

class Consumer implements Subscription {
  readonly #lane: Lane;
  readonly #bell: Bell;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #settling = new Set<Promise<void>>();
  #waiting: Given[] = [];
  #suspect: Given | undefined;
  #suspectRuns = false;
  #session: Session | undefined;
  #startedMs = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;
  readonly #ended: Promise<unknown>;

  constructor(parts: ConsumerParts, queue: QueueName, handle: BatchHandler, limits: BatchLimits) {
    this.#bell = createBell(parts.env);
    const family = familyOf(queue, parts.policy);
    const closing = this.#stop.signal;
    this.#lane = { ...parts, queue, family, handle, limits, closing };
    this.#ended = Promise.all([this.#keep(), this.#loop()]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await within(this.#lane.env, this.#lane.drainMsMax, this.#drain());
    await this.#leave();
  }

  async #drain(): Promise<void> {
    this.#stop.abort();
    this.#bell.ring();
    const session = this.#session;
    if (session) await this.#cancel(session);
    while (this.#running.size + this.#settling.size > 0) {
      await Promise.all([...this.#running, ...this.#settling]);
    }
  }

  async #cancel({ main, suspects, tags }: Session): Promise<void> {
    const { wire } = this.#lane;
    const [ofMain = '', ofSuspects = ''] = tags;
    const both = Promise.all([main.basicCancel(ofMain), suspects.basicCancel(ofSuspects)]);
    await wire.answer('cancelling a consumer', both).catch(() => {});
    await nextTurn(); // What came until then is here.
    const { holdings } = this.#lane;
    for (const given of this.#waiting.splice(0)) holdings.giveBack(given);
    if (this.#suspect) holdings.giveBack(this.#suspect);
    this.#suspect = undefined;
  }

  /** What is still held on these channels goes back to others. */
  async #leave(): Promise<void> {
    const session = this.#session;
    if (session) await this.#closeChannels(session);
    await within(this.#lane.env, leaveMsMax, this.#ended);
  }

  async #closeChannels({ main, suspects }: Session): Promise<void> {
    const both = Promise.all([main.close(), suspects.close()]);
    await this.#lane.wire.answer('closing a channel', both).catch(() => {});
    this.#forget();
  }

  /** R4 */
  async #keep(): Promise<void> {
    const { env, log, queue, closing } = this.#lane;
    for (let failures = 0; !closing.aborted; failures += 1) {
      try {
        const session = await this.#open();
        failures = 0;
        await Promise.race([session.ended, this.#unheard(session)]);
      } catch (error) {
        log.warn({ error, queue }, 'the queue cannot be read now; it is tried again');
      }
      if (closing.aborted) return;
      this.#forget();
      const wholeMs = Math.min(reopenMsMax, reopenMsMin * 2 ** Math.min(failures, 10));
      await env.sleep(wholeMs * (0.5 + env.random() / 2), closing).catch(() => {});
    }
  }

  /**
   * Resolves when a queue does not know of any consumer: who consumes from one that is just being
   * deleted is not told of its end (R5).
   */
  async #unheard({ main, suspects, ended }: Session): Promise<void> {
    const { env, wire, family, closing } = this.#lane;
    let isOver = false;
    void ended.finally(() => {
      isOver = true;
    });
    while (!isOver && !closing.aborted) {
      await env.sleep(lookMs, closing).catch(() => {});
      if (isOver || closing.aborted) break;
      const looks = Promise.all([
        main.queueDeclare({ queue: family.work, passive: true }),
        suspects.queueDeclare({ queue: family.suspects, passive: true }),
      ]);
      const found = await wire.answer('looking at a queue', looks);
      if (found.some(({ consumerCount }) => consumerCount === 0)) return;
    }
    await ended;
  }

  async #open(): Promise<Session> {
    const { wire, policy, closing } = this.#lane;
    const channels: Channel[] = [];
    try {
      const main = await wire.channel();
      channels.push(main);
      const suspects = await wire.channel();
      channels.push(suspects);
      await wire.answer('declaring the queues', declareTopology(main, policy), declareMsMax);
      const ended = Promise.race([endOf(main), endOf(suspects)]);
      const tags = await this.#begin(main, suspects);
      const session = { main, suspects, tags, ended };
      this.#session = session;
      if (closing.aborted) {
        await this.#cancel(session);
        await this.#closeChannels(session);
      }
      return session;
    } catch (error) {
      this.#abandon(channels);
      throw error;
    }
  }

  async #begin(main: Channel, suspects: Channel): Promise<string[]> {
    const { wire, family, limits } = this.#lane;
    const begin = async (channel: Channel, queue: string, most: number): Promise<string> => {
      await channel.basicQos({ prefetchCount: most });
      const take = (message: AsyncMessage): void => this.#take(channel, queue, message);
      return (await channel.basicConsume({ queue }, take)).consumerTag;
    };
    const both = Promise.all([
      begin(main, family.work, limits.concurrency * limits.messagesMax),
      begin(suspects, family.suspects, 1),
    ]);
    return wire.answer('consuming', both);
  }

  #forget(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session) this.#abandon([session.main, session.suspects]);
  }

  /** What was given to us on these channels is not ours any more. */
  #abandon(channels: readonly Channel[]): void {
    for (const channel of channels) {
      this.#lane.holdings.forget(channel);
      void channel.close();
    }
    const isGone = ({ channel }: Given): boolean => channels.includes(channel);
    this.#waiting = this.#waiting.filter((given) => !isGone(given));
    if (this.#suspect && isGone(this.#suspect)) this.#suspect = undefined;
  }

  #take(channel: Channel, queue: string, message: AsyncMessage): void {
    const { family, holdings } = this.#lane;
    const fate = readFate(message);
    const returns = readReturns(message);
    const stored = readStored(message);
    const isSuspect = queue === family.suspects;
    const { deliveryTag } = message;
    const tries = isSuspect
      ? { attempts: fate.attempts + 1 + returns, deaths: fate.deaths }
      : { attempts: fate.attempts + 1, deaths: fate.deaths + returns };
    const { queue: name } = this.#lane;
    const given: Given = { queue: name, channel, deliveryTag, stored, ...fate, ...tries };
    holdings.add(given);
    if (isSuspect) this.#suspect = given;
    else if (given.deaths < deathsUnsuspected) this.#waiting.push(given);
    else this.#track(this.#settling, this.#setApart(given, returns));
    this.#bell.ring();
  }

  /** Into the queue of suspects, with the deaths that count as tries: those of who was alone. */
  async #setApart(given: Given, returns: number): Promise<void> {
    const { family, limits } = this.#lane;
    const wasAlone = limits.concurrency * limits.messagesMax === 1;
    const blamed = wasAlone ? Math.min(returns, deathsUnsuspected) : 0;
    const attempts = given.attempts - 1 + blamed;
    const fate = { ...given, attempts };
    await insist(this.#lane, given, [toQueue(family.suspects, given.stored, fate)]);
    this.#lane.holdings.acknowledge(given);
  }

  async #loop(): Promise<void> {
    const { closing } = this.#lane;
    while (!closing.aborted) {
      this.#bell.silence();
      await nextTurn(); // What arrived together is handed over together.
      const waitMs = closing.aborted ? 0 : this.#startSome();
      if (!closing.aborted) await this.#bell.wait(waitMs);
    }
  }

  /** Returns after how long to look again, unless the bell rings before. */
  #startSome(): number {
    const { env, limits } = this.#lane;
    if (this.#suspectRuns) return idleMsMax;
    if (this.#suspect) {
      if (this.#running.size === 0) this.#startSuspect(this.#suspect);
      return idleMsMax;
    }
    const free = limits.concurrency - this.#running.size;
    if (free <= 0 || this.#waiting.length === 0) return idleMsMax;
    const nowMs = env.monotonicMs();
    const leftMs = this.#startedMs + limits.pauseMs - nowMs;
    if (leftMs > 0) return leftMs;
    this.#startedMs = nowMs;
    for (let calls = 0; calls < free && this.#waiting.length > 0; calls += 1) {
      this.#start(this.#waiting.splice(0, limits.messagesMax));
    }
    return idleMsMax;
  }

  #startSuspect(suspect: Given): void {
    this.#suspect = undefined;
    this.#suspectRuns = true;
    this.#start([suspect], () => {
      this.#suspectRuns = false;
    });
  }

  #start(given: readonly Given[], over: () => void = () => {}): void {
    const delivery = deliver(this.#lane, given)
      // The place is free as soon as the outcome is on its way.
      .then((settle) => this.#track(this.#settling, settle()))
      .finally(over);
    this.#track(this.#running, delivery);
  }

  #track(set: Set<Promise<void>>, work: Promise<void>): void {
    const { log, queue } = this.#lane;
    const tracked = work
      .catch((error: unknown) => {
        log.warn({ error, queue }, 'what came of a message was lost: it comes again');
      })
      .finally(() => {
        set.delete(tracked);
        this.#bell.ring();
      });
    set.add(tracked);
  }
}

/** Resolves when the channel is closed, or the broker ends its consumer: the queue is gone. */
function endOf(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', resolve);
    channel.once('basic.cancel', () => resolve());
  });
}
