// Takes messages out of one queue of the embedded bus and hands them to a handler.
//
// C1. A message is claimed by writing the owner number of our session on it, in the statement that
//     counts the try. It is free again when the session ends: nobody needs to notice our death.
// C2. It is deleted after its handler resolved. An acknowledgement that is lost means one more
//     delivery, never a lost message.
// C3. Not more than `concurrency` calls of `messagesMax` messages are claimed: what we do not work on,
//     others can.
// C4. Under load a claim takes what came in since the last one, at most every `pauseMs`. It is made
//     only when there is news: a notification, a retry that is due, or a claim that found something.

import type { Message, QueueName } from '@rushlight/contracts';
import { type Bell, createBell } from '../bell.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import type { BatchHandler, BatchOptions, Subscription } from './bus.ts';
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
import { type BatchLimits, batchLimits, type Failed, handOver } from './hand-over.ts';
import type { BusHooks, ConsumeOutcome } from './hooks.ts';
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

/** What all deliveries of one consumer have in common. */
type Lane = ConsumerParts & {
  queue: QueueName;
  handle: BatchHandler;
  limits: BatchLimits;
  /** Something may have come in. */
  onNews(): void;
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
  readonly #running = new Set<Promise<void>>();
  readonly #settling = new Set<Promise<void>>();
  /** A suspect waits: nothing more is claimed until nothing runs, and then a single message. */
  #suspectWaits = false;
  #suspectRuns = false;
  /** There may be more in the queue than the last claim took. */
  #news = true;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #claimedMs = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(parts: ConsumerParts, queue: QueueName, handle: BatchHandler, limits: BatchLimits) {
    this.#bell = createBell(parts.env);
    const { ring } = this.#bell;
    const onNews = (): void => {
      this.#news = true;
      ring();
    };
    this.#lane = { ...parts, queue, handle, limits, onNews };
    const deafen = parts.link.hear(sql.queueChannel(queue), onNews, onNews);
    const looped = this.#loop();
    this.#drained = async () => {
      deafen();
      ring();
      await looped;
      while (this.#running.size + this.#settling.size > 0) {
        await Promise.all([...this.#running, ...this.#settling]);
      }
    };
  }

  readonly #drained: () => Promise<void>;

  close(): Promise<void> {
    const { env, drainMsMax } = this.#lane;
    this.#closing ??= Promise.resolve().then(() => within(env, drainMsMax, this.#drained()));
    return this.#closing;
  }

  async #loop(): Promise<void> {
    const { log, pollMs, queue } = this.#lane;
    while (!this.#closing) {
      this.#bell.silence();
      try {
        await this.#look();
        if (this.#news) await this.#pause();
        if (!this.#closing && (await this.#takeSome()) > 0) continue;
      } catch (error) {
        log.warn({ error, queue }, 'the queue cannot be read now; it is tried again');
      }
      if (!this.#closing) await this.#bell.wait(pollMs);
    }
  }

  /** Now and then, also without news: others may have died, or given something back. */
  async #look(): Promise<void> {
    const { env, link, pollMs, queue } = this.#lane;
    const session = link.session();
    if (!session || env.monotonicMs() - this.#lookedMs < pollMs) return;
    this.#lookedMs = env.monotonicMs();
    this.#news = true;
    await session.run(sql.freeOrphans, [queue, session.owner, this.#handlesAlone]);
  }

  async #pause(): Promise<void> {
    const { env, limits } = this.#lane;
    const leftMs = this.#claimedMs + limits.pauseMs - env.monotonicMs();
    if (leftMs > 0) await env.sleep(leftMs);
  }

  /** Every message of this consumer is alone. */
  get #handlesAlone(): boolean {
    const { concurrency, messagesMax } = this.#lane.limits;
    return concurrency * messagesMax === 1;
  }

  /** Returns how many messages were claimed; 0 means: wait for the bell. */
  async #takeSome(): Promise<number> {
    const { limits, link } = this.#lane;
    const session = link.session();
    const free = limits.concurrency - this.#running.size;
    if (this.#suspectRuns || !session || free <= 0 || !this.#news) return 0;
    if (this.#suspectWaits && this.#running.size > 0) return 0;
    const rows = await this.#claim(session, this.#suspectWaits ? 1 : free * limits.messagesMax);
    const suspects = this.#handlesAlone ? [] : rows.filter(isSuspect);
    const others = rows.filter((row) => !suspects.includes(row));
    this.#suspectRuns = this.#suspectWaits && suspects.length > 0;
    if (this.#suspectRuns) this.#start(session, suspects);
    else await this.#giveBack(session, suspects);
    for (let from = 0; from < others.length; from += limits.messagesMax) {
      this.#start(session, others.slice(from, from + limits.messagesMax));
    }
    this.#suspectWaits = suspects.length > 0;
    return rows.length;
  }

  async #claim(session: Session, most: number): Promise<Claimed[]> {
    const { env, queue } = this.#lane;
    const startedMs = env.monotonicMs();
    this.#news = false; // What comes from here on is news again.
    try {
      const rows = await session.run<Claimed>(sql.claim, [queue, session.owner, most]);
      if (rows.length === 0) return rows;
      this.#claimedMs = startedMs;
      this.#news = true;
      return rows;
    } catch (error) {
      this.#news = true;
      throw error;
    }
  }

  async #giveBack(session: Session, rows: readonly Claimed[]): Promise<void> {
    if (rows.length === 0) return;
    await session.run(sql.giveBack, [this.#lane.queue, rows.map(({ id }) => id), session.owner]);
  }

  #start(session: Session, rows: readonly Claimed[]): void {
    const delivery = deliver(this.#lane, session, rows)
      .then((settle) => {
        // The place is free as soon as the outcome is on its way; the next claim follows it.
        this.#track(this.#settling, settle());
      })
      .finally(() => {
        this.#suspectRuns = false;
      });
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

/** Runs the handler; returns how to write down what came of it. */
async function deliver(
  lane: Lane,
  session: Session,
  rows: readonly Claimed[],
): Promise<() => Promise<void>> {
  const { queue, policy, limits } = lane;
  const sound: Message[] = [];
  const tried: Claimed[] = [];
  const doomed = new Map<string, Failed>();
  for (const row of rows) {
    const message = await readSound(lane, session, row);
    if (!message) continue;
    tried.push(row);
    if (row.attempts > policy.attemptsMax) doomed.set(row.id, { error: consumerDied });
    else sound.push(message);
  }
  const failed = await handOver(sound, lane.handle, limits);
  return async () => {
    const handled = tried.filter(({ id }) => !doomed.has(id) && !failed.has(id));
    const acknowledged = async (): Promise<void> => {
      if (handled.length === 0) return;
      await session.run(sql.acknowledge, [queue, handled.map(({ id }) => id), session.owner]);
      for (const { topic } of handled) lane.hooks.onConsumed?.(topic, 'handled');
    };
    const putAsides = tried.map(async (row) => {
      const failure = doomed.get(row.id) ?? failed.get(row.id);
      if (!failure) return;
      const outcome = await putAside(lane, session, row, failure.error);
      lane.hooks.onConsumed?.(row.topic, outcome);
    });
    await Promise.all([acknowledged(), ...putAsides]);
  };
}

/** Its sound events, after those that are not were buried. */
async function readSound(lane: Lane, session: Session, row: Claimed): Promise<Message | undefined> {
  const { queue, log, hooks } = lane;
  const { message, dead } = inspect(queue, storedFrom(row), row.attempts);
  if (dead.length === 0) return message;
  const kept = message ? JSON.stringify(message.events) : null;
  await bury(session, queue, row.id, kept, dead);
  log.warn({ queue, message: row.id, error: dead[0]?.error }, 'events became letters');
  if (!message) hooks.onConsumed?.(row.topic, 'dead');
  return message;
}

async function putAside(
  { env, log, policy, queue, onNews }: Lane,
  session: Session,
  row: Claimed,
  error: unknown,
): Promise<ConsumeOutcome> {
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
      env.after(verdict.delayMs + 1, onNews);
      return waits ? 'waits' : 'retried';
    }
    case 'split': {
      log.warn({ ...about, parts: verdict.parts.length }, 'a failing message is split');
      const ids = verdict.parts.map((part) => part.id);
      await session.run(sql.splitUp, [...mine, ids, verdict.parts.map((part) => part.events)]);
      onNews();
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
