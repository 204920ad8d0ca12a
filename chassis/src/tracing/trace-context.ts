// Who belongs to which trace: on the wire, and in a batch that works for many.
//
// T1. The trace of an order follows from its id, and the id says whether it is kept (contracts).
// T2. What a batch did for one of its traces is a span of that trace as well. Its id follows from the
//     trace and from the span of the batch, so who comes after it knows it without being told.

import { hash } from 'node:crypto';
import type { Environment } from '../environment.ts';

/** Ids are lowercase hex, 32 and 16 digits, never all zeros. */
export type TraceContext = {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether its spans are kept for their own sake; errors and slow ones always are. */
  readonly sampled: boolean;
};

const sampledFlag = 0x01;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/**
 * Reads a `traceparent` header. Undefined for what is none: then a new trace begins.
 *
 * Source: W3C Trace Context, section 3.2. Later versions may be longer.
 */
export function parseTraceparent(text = ''): TraceContext | undefined {
  if (text === '') return undefined;
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text);
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

/** The random half of a fresh id. */
export function newSpanId(env: Pick<Environment, 'newId'>): string {
  const id = env.newId().replaceAll('-', '').slice(16);
  return id === noSpan ? newSpanId(env) : id;
}

/** The span under which everything of a trace stands that has no other above it. */
export function rootSpanId(traceId: string): string {
  return hash('sha256', traceId).slice(0, 16);
}

/** The span of a trace that stands for its part in the span of a batch (T2). */
export function partSpanId(traceId: string, batchSpanId: string): string {
  return hash('sha256', `${traceId} ${batchSpanId}`).slice(0, 16);
}
