// What a service's store operation sees of its database: one transaction, in which it asks whether
// the message is new (inbox), makes its effect, and says what follows from it (outbox).

import type { EventOf, Message, Topic } from '@rushlight/contracts';

export type Statement = {
  /** Names a prepared statement: unique within a service, the same text always. */
  name: string;
  text: string;
};

export interface Transaction {
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Writes events to the outbox; they are published if, and only if, this transaction commits.
   * Whatever it emits to one topic travels together.
   */
  emit<T extends Topic>(topic: T, events: readonly EventOf<T>[]): Promise<void>;
  /** True the first time this message is seen by this service; its effect belongs in here. */
  isNew(messageId: string): Promise<boolean>;
  /** The same for several at once: those of these that are seen for the first time. */
  newOf(messageIds: readonly string[]): Promise<Set<string>>;
}

export type Publish = (messages: Message[]) => Promise<void>;

export interface Outbox {
  /**
   * Claims up to `limit` messages that nobody else relays now, hands them to `publish`, and
   * forgets them when that resolved. Returns how many; 0 means that nothing waits.
   *
   * @param olderThanMs leaves younger ones to the processes that wrote them
   */
  relay(limit: number, publish: Publish, olderThanMs?: number): Promise<number>;
  /** The same for what this process has just committed. What fails here is left to `relay`. */
  relayNew(limit: number, publish: Publish): Promise<number>;
  depth(): Promise<number>;
  /** Runs whenever something may have come in. */
  onWritten(wake: () => void): void;
}

/** A neighbour (database, bus, service) cannot be reached, or did not answer in time. */
export class UnavailableError extends Error {
  override readonly name: string = 'UnavailableError';
  readonly part: string;

  constructor(part: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}
