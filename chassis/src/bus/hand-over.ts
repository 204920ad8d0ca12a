// How messages that were taken from a queue together reach their handler, the same in every adapter.
//
// H1. They are handed over in calls of at most `messagesMax` messages and `eventsMax` events, one
//     call after the other.
// H2. A call that failed is repeated message by message, so that each gets the verdict that it would
//     have got alone (B5).
// H3. While a neighbour is down nothing is repeated: all that is not handled waits for it.

import type { Message } from '@rushlight/contracts';
import { UnavailableError } from '../store/store.ts';
import type { BatchHandler, BatchOptions, ConsumeOptions, MessageHandler } from './bus.ts';

export type BatchLimits = Required<BatchOptions>;

/** Why a message was not handled. */
export type Failed = { error: unknown };

export function batchLimits(options: BatchOptions): BatchLimits {
  const { messagesMax = 64, eventsMax = 2_000, pauseMs = 0, concurrency = 1 } = options;
  return { messagesMax, eventsMax, pauseMs, concurrency };
}

/** A handler of single messages as one of batches that hold a single message. */
export function oneByOne(handle: MessageHandler): BatchHandler {
  return async (messages) => {
    for (const message of messages) await handle(message);
  };
}

export function single(options: ConsumeOptions = {}): BatchOptions {
  return { ...options, messagesMax: 1 };
}

/** Hands all of them over. Returns those that failed, by message id; the others are handled. */
export async function handOver(
  messages: readonly Message[],
  handle: BatchHandler,
  limits: Pick<BatchLimits, 'messagesMax' | 'eventsMax'>,
): Promise<Map<string, Failed>> {
  const failed = new Map<string, Failed>();
  const fail = (some: readonly Message[], error: unknown): void => {
    for (const { id } of some) failed.set(id, { error });
  };
  const waiting = calls(messages, limits);
  for (let call = waiting.shift(); call; call = waiting.shift()) {
    const failure = await attempt(handle, call);
    if (!failure) continue;
    const down = failure.error instanceof UnavailableError;
    if (down) fail([...call, ...waiting.splice(0).flat()], failure.error);
    else if (call.length === 1) fail(call, failure.error);
    else waiting.unshift(...call.map((message) => [message]));
  }
  return failed;
}

async function attempt(
  handle: BatchHandler,
  call: readonly Message[],
): Promise<Failed | undefined> {
  try {
    await handle(call);
    return undefined;
  } catch (error) {
    return { error };
  }
}

function calls(
  messages: readonly Message[],
  { messagesMax, eventsMax }: Pick<BatchLimits, 'messagesMax' | 'eventsMax'>,
): Message[][] {
  const found: Message[][] = [];
  let events = 0;
  for (const message of messages) {
    const current = found.at(-1);
    events += message.events.length;
    if (current && current.length < messagesMax && events <= eventsMax) {
      current.push(message);
      continue;
    }
    found.push([message]);
    events = message.events.length;
  }
  return found;
}
