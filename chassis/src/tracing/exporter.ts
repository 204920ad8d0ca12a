// From the spans that ended to whoever keeps them, by OTLP over HTTP.
//
// X1. Nobody waits for it. What does not fit is the oldest, and it is counted.
// X2. While nobody takes them, it asks less and less often, and holds the newest.
// X3. What was refused for good (4xx) is dropped and counted: the same bytes would be refused again.

import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { encodeSpans, type Resource } from './otlp.ts';
import type { FinishedSpan } from './span.ts';
import type { SpanSink } from './tracer.ts';

/** Sends a body, and tells the status of the answer. Throws when there is none in time. */
export type Post = (body: Uint8Array, signal: AbortSignal) => Promise<number>;

export type ExporterOptions = {
  resource: Resource;
  post: Post;
  env: Pick<Environment, 'sleep' | 'random'>;
  log: Log;
  onSpans: (outcome: 'exported' | 'dropped', count: number) => void;
  /** Held at most; 4,096 unless given. */
  heldMax?: number;
};

export type Exporter = SpanSink & {
  /** Sends what is held, once, and stops. */
  close(): Promise<void>;
};

const everyMs = 500;
const perRequestMax = 512;
const requestMsMax = 5_000;
const pauseMsMax = 10_000;
const finalRequestsMax = 8;

/** Begins to export at once, until it is closed. */
export function startExporter(options: ExporterOptions): Exporter {
  const { env, log, onSpans, heldMax = 4_096 } = options;
  const over = new AbortController();
  let held: FinishedSpan[] = [];
  let failures = 0;
  let isRefused = false;

  /** False when nobody took them. */
  const send = async (signal: AbortSignal): Promise<boolean> => {
    const spans = held.splice(0, perRequestMax);
    try {
      const status = await options.post(encodeSpans(options.resource, spans), signal);
      if (status === 429 || status >= 500) throw new Error(`it answered ${status}`);
      const isTaken = status < 300;
      onSpans(isTaken ? 'exported' : 'dropped', spans.length); // X3
      if (!isTaken && !isRefused) log.warn({ status }, 'traces are refused, and dropped');
      if (isTaken && (failures > 0 || isRefused)) log.info({ failures }, 'traces are taken again');
      isRefused = !isTaken;
      failures = 0;
      return true;
    } catch (error) {
      held = [...spans, ...held];
      failures += 1;
      if (failures === 1) log.warn({ error }, 'nobody takes the traces; it is tried again');
      return false;
    }
  };
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const pauseMs = Math.min(pauseMsMax, everyMs * 2 ** Math.min(failures, 8));
      await env.sleep(pauseMs * (0.75 + env.random() / 2), over.signal).catch(() => undefined);
      shed();
      while (held.length > 0 && !over.signal.aborted) {
        if (!(await send(AbortSignal.timeout(requestMsMax)))) break; // X2
      }
    }
  };
  /** X1 */
  const shed = (): void => {
    const excess = held.length - heldMax;
    if (excess <= 0) return;
    held = held.slice(excess);
    onSpans('dropped', excess);
  };
  const running = loop();
  return {
    add: (span) => {
      held.push(span);
      // Shed in pieces: to move the rest of an array at each span would cost as much as the span.
      if (held.length >= heldMax * 2) shed();
    },
    close: async () => {
      over.abort();
      await running;
      shed();
      const signal = AbortSignal.timeout(requestMsMax);
      for (let requests = 0; requests < finalRequestsMax && held.length > 0; requests++) {
        if (!(await send(signal))) break;
      }
      if (held.length > 0) onSpans('dropped', held.length);
      held = [];
    },
  };
}
