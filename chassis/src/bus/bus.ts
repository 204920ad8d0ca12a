// The bus: what travels between services when nobody waits for it.
//
// B1. `publish` resolves only when every message is durable in every queue bound to its topic. When
//     it throws, the outcome is unknown: publish the same messages (same ids) again.
// B2. A message is gone from its queue only after its handler resolved. A consumer that dies gives
//     it back at once; so handlers see a message at least once, in any order.
// B3. A message that keeps failing ends in the dead letters, alone; it never blocks the others.
//     While a neighbour is down (an UnavailableError) it waits, however long that takes.
// B4. Broadcasts are hints: at most once, to whoever listens now.

import type { BroadcastTopic, DeadLetter, Message, QueueName } from '@rushlight/contracts';

export interface Bus {
  publish(messages: readonly Message[]): Promise<void>;
  /** Starts to consume. `close` stops taking messages and waits for the handlers that run. */
  consume(queue: QueueName, handle: MessageHandler, options?: ConsumeOptions): Subscription;
  /** `resync` runs at every (re)connection: hints may have been missed, read the truth anew. */
  listen<T extends BroadcastTopic>(
    topics: readonly T[],
    hear: (message: Message<T>) => void,
    resync: () => void,
  ): Subscription;
  readonly deadLetters: DeadLetters;
  /** Messages that wait or are being handled. */
  depth(queue: QueueName): Promise<number>;
  /** Throws when the bus cannot be reached now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Throws UnavailableError when a neighbour is down, anything else when the message itself fails. */
export type MessageHandler = (message: Message) => Promise<void>;

export type ConsumeOptions = {
  /** Messages handled at the same time, 1 unless given. */
  concurrency?: number;
};

export type Subscription = { close(): Promise<void> };

export interface DeadLetters {
  /** The newest, at most 100. */
  list(): Promise<DeadLetter[]>;
  /** False when there is no such letter. */
  replay(id: string): Promise<boolean>;
  drop(id: string): Promise<boolean>;
  counts(): Promise<{ queue: QueueName; count: number }[]>;
}
