// Takes messages out of one queue of the embedded bus and hands them to a handler.
//
// C1. A message is claimed by writing the owner number of our session on it, in the statement that
//     counts the try. It is free again when the session ends: nobody needs to notice our death.
// C2. It is deleted after its handler resolved. An acknowledgement that is lost means one more
//     delivery, never a lost message.
// C3. Not more than `concurrency` messages are claimed: what we do not work on, others can.

import type { QueueName } from '@rushlight/contracts';
import { type Bell, createBell } from '../bell.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import type { ConsumeOptions, MessageHandler, Subscription } from './bus.ts';
import {
  consumerDied,
  type DeliveryPolicy,
  inspect,
  isSuspect,
  type Letter,
  letterOf,
  type StoredMessage,
  verdictOn,
} from './delivery.ts';
import type { BusHooks } from './hooks.ts';
import type { Link, Session } from './link.ts';
import * as sql from './queue-statements.ts';

export type ConsumerParts = {
  link: Link;
  env: Environment;
  log: Log;
  policy: DeliveryPolicy;
  pollMs: number;
  /** How long `close` waits for handlers; what then still runs is delivered again. */
  drainMsMax: number;
  hooks: BusHooks;
};

type Claimed = {
  id: string;
  topic: string;
  at_ms: number;
  traceparent: string | null;
  events: string;
  attempts: number;
  delays: number;
  deaths: number;
};

/** Starts to consume; see Bus.consume. */
export function startConsumer(
  parts: ConsumerParts,
  queue: QueueName,
  handle: MessageHandler,
  options: ConsumeOptions = {},
): Subscription {
  return new Consumer(parts, queue, handle, options.concurrency ?? 1);
}

class Consumer implements Subscription {
  readonly #parts: ConsumerParts;
  readonly #queue: QueueName;
  readonly #handle: MessageHandler;
  readonly #concurrency: number;
  readonly #bell: Bell;
  readonly #running = new Set<Promise<void>>();
  readonly #settling = new Set<Promise<void>>();
  /** Claimed, and handled when nothing else is; nothing more is claimed until it is done. */
  #suspect: { session: Session; row: Claimed } | undefined;
  #suspectRuns = false;
  #orphansFreedMs = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(parts: ConsumerParts, queue: QueueName, handle: MessageHandler, concurrency: number) {
    this.#parts = parts;
    this.#queue = queue;
    this.#handle = handle;
    this.#concurrency = concurrency;
    this.#bell = createBell(parts.env);
    const { ring } = this.#bell;
    const deafen = parts.link.hear(sql.queueChannel(queue), ring, ring);
    const looped = this.#loop();
    this.#drained = async () => {
      deafen();
      ring();
      await looped;
      const suspect = this.#suspect;
      if (suspect) await this.#giveBack(suspect.session, suspect.row).catch(() => {});
      while (this.#running.size + this.#settling.size > 0) {
        await Promise.all([...this.#running, ...this.#settling]);
      }
    };
  }

  readonly #drained: () => Promise<void>;

  close(): Promise<void> {
    const { env, drainMsMax } = this.#parts;
    this.#closing ??= Promise.resolve().then(() => within(env, drainMsMax, this.#drained()));
    return this.#closing;
  }

  async #loop(): Promise<void> {
    const { log, pollMs } = this.#parts;
    while (!this.#closing) {
      this.#bell.silence();
      try {
        await this.#freeOrphans();
        if ((await this.#takeSome()) > 0) continue;
      } catch (error) {
        log.warn({ error, queue: this.#queue }, 'the queue cannot be read now; it is tried again');
      }
      if (!this.#closing) await this.#bell.wait(pollMs);
    }
  }

  async #freeOrphans(): Promise<void> {
    const { env, link, pollMs } = this.#parts;
    const session = link.session();
    if (!session || env.monotonicMs() - this.#orphansFreedMs < pollMs) return;
    this.#orphansFreedMs = env.monotonicMs();
    await session.run(sql.freeOrphans, [this.#queue, session.owner]);
  }

  /** Returns how many messages were begun or claimed; 0 means: wait for the bell. */
  async #takeSome(): Promise<number> {
    if (this.#suspectRuns) return 0;
    if (this.#suspect) return this.#startSuspect(this.#suspect);
    const session = this.#parts.link.session();
    const free = this.#concurrency - this.#running.size;
    if (!session || free <= 0) return 0;
    const rows = await session.run<Claimed>(sql.claim, [this.#queue, session.owner, free]);
    const suspects = rows.filter((row) => this.#concurrency > 1 && isSuspect(row));
    for (const row of rows) if (!suspects.includes(row)) this.#start(session, row);
    const [first, ...others] = suspects;
    if (first) this.#suspect = { session, row: first };
    for (const row of others) await this.#giveBack(session, row);
    return rows.length;
  }

  #startSuspect({ session, row }: { session: Session; row: Claimed }): number {
    if (this.#running.size > 0) return 0;
    this.#suspect = undefined;
    this.#suspectRuns = true;
    this.#start(session, row);
    return 1;
  }

  async #giveBack(session: Session, row: Claimed): Promise<void> {
    await session.run(sql.giveBack, [this.#queue, row.id, session.owner]);
  }

  #start(session: Session, row: Claimed): void {
    const delivery = deliver(this.#parts, this.#bell, this.#queue, this.#handle, session, row);
    this.#track(
      this.#running,
      delivery.then((settle) => {
        // The place is free as soon as the outcome is on its way; the next claim follows it.
        this.#track(this.#settling, settle());
        this.#suspectRuns = false;
      }),
    );
  }

  #track(set: Set<Promise<void>>, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        const about = { error, queue: this.#queue };
        this.#parts.log.warn(about, 'what came of a message was lost: it comes again');
      })
      .finally(() => {
        set.delete(tracked);
        this.#bell.ring();
      });
    set.add(tracked);
  }
}

/** Runs the handler; returns how to write down what came of it. */
async function deliver(
  parts: ConsumerParts,
  bell: Bell,
  queue: QueueName,
  handle: MessageHandler,
  session: Session,
  row: Claimed,
): Promise<() => Promise<void>> {
  const stored = storedFrom(row);
  const report = (outcome: Parameters<NonNullable<BusHooks['onConsumed']>>[1]): void =>
    parts.hooks.onConsumed?.(row.topic, outcome);
  const { message, dead } = inspect(queue, stored, row.attempts);
  try {
    if (dead.length > 0) {
      const kept = message ? JSON.stringify(message.events) : null;
      await bury(session, queue, row.id, kept, dead);
      parts.log.warn({ queue, message: row.id, error: dead[0]?.error }, 'events became letters');
      if (!message) report('dead');
    }
    if (!message) return async () => {};
    if (row.attempts > parts.policy.attemptsMax) throw consumerDied;
    await handle(message);
  } catch (error) {
    return () => putAside(parts, bell, queue, session, row, error).then(report);
  }
  return async () => {
    await session.run(sql.acknowledge, [queue, row.id, session.owner]);
    report('handled');
  };
}

async function putAside(
  parts: ConsumerParts,
  bell: Bell,
  queue: QueueName,
  session: Session,
  row: Claimed,
  error: unknown,
): Promise<'waits' | 'retried' | 'split' | 'dead'> {
  const { env, log, policy } = parts;
  const stored = storedFrom(row);
  const verdict = verdictOn(error, stored, row, policy, env);
  const mine = [queue, row.id, session.owner];
  const about = { queue, topic: row.topic, message: row.id, attempts: row.attempts, error };
  switch (verdict.kind) {
    case 'wait':
    case 'retry': {
      const waits = verdict.kind === 'wait';
      log.warn(about, waits ? 'a message waits for a neighbour' : 'a message is tried again');
      await session.run(sql.putOff, [...mine, waits ? 1 : 0, verdict.delayMs]);
      env.after(verdict.delayMs + 1, bell.ring);
      return waits ? 'waits' : 'retried';
    }
    case 'split': {
      log.warn({ ...about, parts: verdict.parts.length }, 'a failing message is split');
      const ids = verdict.parts.map((part) => part.id);
      await session.run(sql.splitUp, [...mine, ids, verdict.parts.map((part) => part.events)]);
      return 'split';
    }
    case 'die':
      log.error(about, 'a message became a dead letter');
      await bury(session, queue, row.id, null, [
        letterOf(queue, stored, row.attempts, verdict.error),
      ]);
      return 'dead';
  }
}

async function bury(
  session: Session,
  queue: QueueName,
  id: string,
  kept: string | null,
  dead: readonly Letter[],
): Promise<void> {
  await session.run(sql.bury, [
    queue,
    id,
    session.owner,
    kept,
    dead.map((letter) => letter.letterId),
    dead.map((letter) => letter.id),
    dead.map((letter) => letter.topic),
    dead.map((letter) => letter.atMs),
    dead.map((letter) => letter.traceparent),
    dead.map((letter) => letter.events),
    dead.map((letter) => letter.attempts),
    dead.map((letter) => letter.error),
  ]);
}

function storedFrom(row: Claimed): StoredMessage {
  const { id, topic, at_ms: atMs, traceparent, events } = row;
  return { id, topic, atMs, traceparent, events };
}
