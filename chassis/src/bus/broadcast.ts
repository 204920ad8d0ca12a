// Broadcasts travel as notifications, which Postgres limits to 8,000 bytes.

import type { Message } from '@rushlight/contracts';
import { inspect } from './delivery.ts';

export const payloadBytesMax = 7_800;

/** The message in as many payloads as it needs. An event that fits into none is left out (B4). */
export function broadcastPayloads(message: Message): string[] {
  const { id, topic, atMs, traceparent } = message;
  const payloads: string[] = [];
  const pack = (events: readonly unknown[]): void => {
    if (events.length === 0) return;
    const payload = JSON.stringify({ id, topic, atMs, traceparent, events });
    if (Buffer.byteLength(payload) <= payloadBytesMax) {
      payloads.push(payload);
      return;
    }
    if (events.length === 1) return;
    const half = Math.ceil(events.length / 2);
    pack(events.slice(0, half));
    pack(events.slice(half));
  };
  pack(message.events);
  return payloads;
}

/** Reads a payload; undefined when it is not a message that we know. */
export function readBroadcast(payload: string): Message | undefined {
  try {
    const { id, topic, atMs, traceparent, events } = JSON.parse(payload) as Message;
    const stored = { id, topic, atMs, traceparent: traceparent ?? null };
    return inspect('broadcast', { ...stored, events: JSON.stringify(events) }, 1).message;
  } catch {
    return undefined;
  }
}
