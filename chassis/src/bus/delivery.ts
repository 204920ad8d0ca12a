// What becomes of a message: pure decisions that every adapter of the bus shares.
//
// D1. An unreachable neighbour is nobody's fault: the try does not count, the message waits longer
//     and longer, without end.
// D2. After `attemptsMax` failures a message with several events is split into messages of one
//     event each, so that the bad one ends alone in the dead letters.
// D3. An event that does not fit its schema dies at once; the others of its message go on.
// D4. A message that was held when its consumers died twice is suspected of it, and handled alone:
//     whoever dies of it takes no other message along. Only then does a death count as a failed
//     try: consumers die of many things, and none of what they held together is to blame.
// D5. New ids are derived from the old ones: whoever repeats a half-done step repeats its ids.

import { createHash } from 'node:crypto';
import { type Message, type Topic, topics } from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';

export type DeliveryPolicy = {
  attemptsMax: number;
  backoffMsMin: number;
  backoffMsMax: number;
};

export const defaultDeliveryPolicy: DeliveryPolicy = {
  attemptsMax: 8,
  backoffMsMin: 50,
  backoffMsMax: 5_000,
};

/** A message as a queue keeps it. Its events are text: they may be anything. */
export type StoredMessage = {
  id: string;
  topic: string;
  atMs: number;
  traceparent: string | null;
  events: string;
};

export type Letter = StoredMessage & { letterId: string; attempts: number; error: string };

export type Inspection = {
  /** What the handler gets; absent when nothing sound is in it. */
  message: Message | undefined;
  /** The events that died here, each as a letter of its own. */
  dead: Letter[];
};

export type Verdict =
  | { kind: 'wait'; delayMs: number } // D1
  | { kind: 'retry'; delayMs: number }
  | { kind: 'split'; parts: StoredMessage[] } // D2
  | { kind: 'die'; error: string };

const errorLengthMax = 1_000;

/** So many deaths are chance (D4). */
export const deathsUnsuspected = 2;

/** True when this message may be what kills its consumers (D4). */
export function isSuspect(message: { deaths: number }): boolean {
  return message.deaths >= deathsUnsuspected;
}

/** The error that stands for "whoever takes this message dies of it". */
export const consumerDied = new Error('its consumer died while it handled the message');

/**
 * Decides what follows from a failed handler.
 *
 * @param attempts tries so far, this one included
 * @param delays how often in a row it was put off before
 */
export function verdictOn(
  error: unknown,
  stored: StoredMessage,
  tries: { attempts: number; delays: number },
  policy: DeliveryPolicy,
  env: Pick<Environment, 'random'>,
): Verdict {
  const delayMs = backoffMs(tries.delays, policy, env);
  if (error instanceof UnavailableError) return { kind: 'wait', delayMs };
  if (tries.attempts < policy.attemptsMax) return { kind: 'retry', delayMs };
  const parts = split(stored);
  return parts.length > 1 ? { kind: 'split', parts } : { kind: 'die', error: errorText(error) };
}

/** Doubles with each delay, between half and the whole of it by chance. */
export function backoffMs(
  delays: number,
  policy: DeliveryPolicy,
  env: Pick<Environment, 'random'>,
): number {
  const wholeMs = Math.min(policy.backoffMsMax, policy.backoffMsMin * 2 ** Math.min(delays, 20));
  return Math.round(wholeMs * (0.5 + env.random() / 2));
}

/** Reads a stored message and checks every event against the schema of its topic (D3). */
export function inspect(queue: string, stored: StoredMessage, attempts: number): Inspection {
  const whole = (error: string): Inspection => ({
    message: undefined,
    dead: [letterOf(queue, stored, attempts, error)],
  });
  if (!isTopic(stored.topic)) return whole(`no such topic: ${stored.topic}`);
  const events = parseEvents(stored.events);
  if (!events) return whole('its events are not a JSON list');
  const schema = topics[stored.topic];
  const sound: unknown[] = [];
  const dead: Letter[] = [];
  for (const [index, event] of events.entries()) {
    const read = schema.safeParse(event);
    if (read.success) {
      sound.push(read.data);
      continue;
    }
    const why = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    const part = events.length === 1 ? stored : partOf(stored, event, index);
    dead.push(letterOf(queue, part, attempts, `not a ${stored.topic}: ${why.join('; ')}`));
  }
  return { message: sound.length > 0 ? messageFrom(stored, sound) : undefined, dead };
}

/** The letter under which a message is kept when nobody could take it. */
export function letterOf(
  queue: string,
  stored: StoredMessage,
  attempts: number,
  error: string,
): Letter {
  const letterId = derivedId(`${queue}/${stored.id}`);
  return { ...stored, letterId, attempts, error: error.slice(0, errorLengthMax) };
}

/** One message per event (D2); a single part means that it cannot be split. */
function split(stored: StoredMessage): StoredMessage[] {
  const events = parseEvents(stored.events) ?? [];
  if (events.length < 2) return [stored];
  return events.map((event, index) => partOf(stored, event, index));
}

function partOf(stored: StoredMessage, event: unknown, index: number): StoredMessage {
  return {
    ...stored,
    id: derivedId(`${stored.id}#${index}`),
    events: JSON.stringify([event]),
  };
}

function messageFrom(stored: StoredMessage, events: unknown[]): Message {
  const { id, topic, atMs, traceparent } = stored;
  return {
    id,
    topic,
    atMs,
    ...(traceparent === null ? {} : { traceparent }),
    events,
  } as Message;
}

/** A message whose events were written as JSON before, so that nobody does it again. */
export type WrittenMessage = Message & { eventsText?: string };

/** The way back: what a message looks like at rest. */
export function storedFrom(message: WrittenMessage): StoredMessage {
  const { id, topic, atMs, traceparent, events, eventsText } = message;
  const text = eventsText ?? JSON.stringify(events);
  return { id, topic, atMs, traceparent: traceparent ?? null, events: text };
}

/** The events for people to look at, whatever they are. */
export function readableEvents(text: string): unknown[] {
  return parseEvents(text) ?? [text];
}

function parseEvents(text: string): unknown[] | undefined {
  try {
    const events: unknown = JSON.parse(text);
    return Array.isArray(events) ? events : undefined;
  } catch {
    return undefined;
  }
}

function isTopic(name: string): name is Topic {
  return Object.hasOwn(topics, name);
}

/** A UUID (version 8, RFC 9562) that is the same for the same text, always. */
export function derivedId(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function errorText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, errorLengthMax);
}
