// The bus: what travels between services when nobody waits for it.
//
// B1. `publish` resolves only when every message is durable in every queue bound to its topic. When
//     it throws, the outcome is unknown: publish the same messages (same ids) again.
// B2. A message is gone from its queue only after its handler resolved. A consumer that dies gives
//     it back at once; so handlers see a message at least once, in any order.
// B3. A message that keeps failing ends in the dead letters, alone; it never blocks the others.
//     While a neighbour is down (an UnavailableError) it waits, however long that takes.
// B4. Broadcasts are hints: at most once, to whoever listens now.
// B5. What waits in a queue may be handed over together, so that one transaction takes it in. When
//     such a call fails, its messages are handed over again one by one, at once: B3 holds for each.

import type { BroadcastTopic, DeadLetter, Message, QueueName } from '@rushlight/contracts';

export interface Bus {
  publish(messages: readonly Message[]): Promise<void>;
  /** Starts to consume. `close` stops taking messages and waits for the handlers that run. */
  consume(queue: QueueName, handle: MessageHandler, options?: ConsumeOptions): Subscription;
  /** The same for a handler that takes several messages at a time (B5). */
  consumeBatches(queue: QueueName, handle: BatchHandler, options?: BatchOptions): Subscription;
  /** `resync` runs at every (re)connection: hints may have been missed, read the truth anew. */
  listen<T extends BroadcastTopic>(
    topics: readonly T[],
    hear: (message: Message<T>) => void,
    resync: () => void,
  ): Subscription;
  readonly deadLetters: DeadLetters;
  /** Messages that wait or are being handled. */
  depth(queue: QueueName): Promise<number>;
  /** How long ago the oldest of them was published, in milliseconds; 0 when there is none. */
  oldestMs(queue: QueueName): Promise<number>;
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

/** All or nothing: when it throws, no message of the batch had an effect, or it is unknown. */
export type BatchHandler = (messages: readonly Message[]) => Promise<void>;

export type BatchOptions = ConsumeOptions & {
  /** Messages that are handed over together at most, 64 unless given. */
  messagesMax?: number;
  /** Events in them, 2,000 unless given; a message that has more comes alone. */
  eventsMax?: number;
  /**
   * Between the beginnings of two calls at least, 0 unless given. In calm nobody waits for it;
   * under load what came meanwhile is taken together, so that cost follows time and not messages.
   */
  pauseMs?: number;
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
