// How a message of ours looks in AMQP: its id, topic and instant are properties, its events are the
// body, and what happened to it so far stands in headers. Whatever else lies in a queue is read too.

import type { AsyncMessage, Envelope, SyncMessage } from 'rabbitmq-client';
import { derivedId, type Letter, type StoredMessage } from '../delivery.ts';

/** What happened to a message so far; `deaths` without those that the broker counts. */
export type Fate = { attempts: number; delays: number; deaths: number };

export type Outgoing = { envelope: Envelope; body: Buffer };

export const noFate: Fate = { attempts: 0, delays: 0, deaths: 0 };

const names = {
  atMs: 'rushlight-at-ms',
  attempts: 'rushlight-attempts',
  delays: 'rushlight-delays',
  deaths: 'rushlight-deaths',
  error: 'rushlight-error',
  diedAtMs: 'rushlight-died-at-ms',
} as const;

/** What a Date can be. */
const instantMsMax = 8.64e15;

type Headers = Record<string, unknown>;
type Incoming = AsyncMessage | SyncMessage;

type Target = { exchange: string; routingKey: string } | { queue: string };

function outgoing(target: Target, stored: StoredMessage, headers: Headers): Outgoing {
  const { id, topic, atMs, traceparent, events } = stored;
  const to = 'queue' in target ? { exchange: '', routingKey: target.queue } : target;
  return {
    envelope: {
      ...to,
      mandatory: true,
      durable: true,
      messageId: id,
      type: topic,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {
        // As text: a table of AMQP has no agreed form of numbers beyond 32 bits.
        [names.atMs]: String(atMs),
        ...(traceparent === null ? {} : { traceparent }),
        ...headers,
      },
    },
    body: Buffer.from(events),
  };
}

/** A new message, for all queues that are bound to its topic. */
export function toAll(exchange: string, stored: StoredMessage): Outgoing {
  return outgoing({ exchange, routingKey: stored.topic }, stored, {});
}

/** For whoever listens now: it need not reach anybody, and nobody keeps it. */
export function toEars(exchange: string, stored: StoredMessage): Outgoing {
  const { envelope, body } = toAll(exchange, stored);
  return { envelope: { ...envelope, mandatory: false, durable: false }, body };
}

/** For one queue; `delayMs`: where it lies for so long. */
export function toQueue(
  queue: string,
  stored: StoredMessage,
  { attempts, delays, deaths }: Fate,
  delayMs?: number,
): Outgoing {
  const headers = { [names.attempts]: attempts, [names.delays]: delays, [names.deaths]: deaths };
  const { envelope, body } = outgoing({ queue }, stored, headers);
  return delayMs === undefined
    ? { envelope, body }
    : { envelope: { ...envelope, expiration: String(Math.max(1, Math.round(delayMs))) }, body };
}

export function toDead(queue: string, letter: Letter, diedAtMs: number): Outgoing {
  return outgoing({ queue }, letter, {
    [names.attempts]: letter.attempts,
    [names.error]: letter.error,
    [names.diedAtMs]: String(diedAtMs),
  });
}

/** A message as it lies in a queue, whoever put it there. */
export function readStored(incoming: Incoming): StoredMessage {
  const events = Buffer.isBuffer(incoming.body) ? incoming.body.toString() : textOf(incoming.body);
  const headers: Headers = incoming.headers ?? {};
  const traceparent = headers['traceparent'];
  return {
    id: isUuid(incoming.messageId) ? incoming.messageId : derivedId(events),
    topic: incoming.type ?? incoming.routingKey,
    atMs: numberIn(headers, names.atMs) || (incoming.timestamp ?? 0) * 1_000,
    traceparent: typeof traceparent === 'string' ? traceparent : null,
    events,
  };
}

export function readFate({ headers = {} }: Incoming): Fate {
  return {
    attempts: numberIn(headers, names.attempts),
    delays: numberIn(headers, names.delays),
    deaths: numberIn(headers, names.deaths),
  };
}

/** How often this queue gave it out in vain, as the broker counts it. */
export function readReturns({ headers = {} }: Incoming): number {
  return numberIn(headers, 'x-delivery-count');
}

/** What a dead letter says of its death; the broker itself says it in words of its own. */
export function readDeath(incoming: Incoming): { error: string; diedAtMs: number } {
  const headers: Headers = incoming.headers ?? {};
  const [last] = Array.isArray(headers['x-death']) ? (headers['x-death'] as Headers[]) : [];
  const why = `the broker gave up on it: ${String(last?.['reason'] ?? 'no reason')}`;
  const error = headers[names.error];
  const diedAtMs = numberIn(headers, names.diedAtMs) || numberIn(last ?? {}, 'time') * 1_000;
  return {
    error: typeof error === 'string' ? error : why,
    diedAtMs: Math.abs(diedAtMs) <= instantMsMax ? diedAtMs : 0,
  };
}

function numberIn(headers: Headers, name: string): number {
  const number = Number(headers[name] ?? 0);
  return Number.isFinite(number) ? number : 0;
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
}

function isUuid(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
