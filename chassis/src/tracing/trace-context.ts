// Who belongs to which trace, on the wire and by the id of an order.
//
// T1. The trace id of an order is its order id; the last byte of a kept one is zero.
// T2. The span of a step of an order has an id that follows from the order and the step alone.

import { createHash } from 'node:crypto';
import type { Environment } from '../environment.ts';

/** Ids are lowercase hex, 32 and 16 digits, never all zeros. */
export type TraceContext = {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether its spans are kept for their own sake; errors and slow ones always are. */
  readonly sampled: boolean;
};

const sampledFlag = 0x01;
const keptEnding = '00';
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/**
 * Reads a `traceparent` header. Undefined for what is none: then a new trace begins.
 *
 * Source: W3C Trace Context, section 3.2. Later versions may be longer.
 */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(
    text ?? '',
  );
  if (!match) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === noTrace || spanId === noSpan) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 };
}

/** The `traceparent` header of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** A context in a trace that begins here. */
export function newTrace(env: Pick<Environment, 'newId'>, sampled: boolean): TraceContext {
  return { traceId: hexOf(env.newId()), spanId: newSpanId(env), sampled };
}

/** The random half of a fresh id. */
export function newSpanId(env: Pick<Environment, 'newId'>): string {
  const id = hexOf(env.newId()).slice(16);
  return id === noSpan ? newSpanId(env) : id;
}

/** A fresh order id that says whether its trace is kept (T1). */
export function newOrderId(env: Pick<Environment, 'newId'>, kept: boolean): string {
  const id = env.newId();
  if (kept) return id.slice(0, -2) + keptEnding;
  return isKept(id) ? `${id.slice(0, -2)}01` : id;
}

/** Whether the trace of this order is kept (T1). */
export function isKept(orderId: string): boolean {
  return orderId.endsWith(keptEnding);
}

/** The context of a step of an order, such as "orders place" (T1, T2). */
export function contextOfStep(orderId: string, step: string): TraceContext {
  const traceId = hexOf(orderId);
  const spanId = createHash('sha256').update(`${traceId} ${step}`).digest('hex').slice(0, 16);
  return { traceId, spanId, sampled: isKept(orderId) };
}

function hexOf(uuid: string): string {
  return uuid.replaceAll('-', '');
}
