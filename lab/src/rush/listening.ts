// Clients that listen to their stream from before the first order until after the drain, resuming
// with Last-Event-ID whenever the line breaks.
//
// L1. A stream begins with the id that it stands at. From then on there can be no gap; before it, a
//     line that breaks leaves nothing to resume from.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorder } from '@rushlight/auditor';

export type Ear = {
  /** The id of the last event that was heard, whatever its kind; 0 before the first. */
  readonly lastEventId: number;
  /** Milliseconds since something was heard, on the monotonic clock. */
  readonly quietMs: number;
  /** Resolves when the first stream has said where it stands (L1). */
  readonly opened: Promise<void>;
  close(): void;
};

export type EarOptions = {
  url: string;
  path: string;
  token: string;
  proc: string;
  recorder: Pick<Recorder, 'write'>;
};

const reopenMs = 250;
const silenceMsMax = 40_000;

/** Listens until it is closed. Every order step that is heard is recorded. */
export function listen(options: EarOptions): Ear {
  const over = new AbortController();
  const opened = Promise.withResolvers<void>();
  const ear: Heard = { lastEventId: undefined, heardMs: performance.now() };
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        await hear(options, ear, over.signal, opened.resolve);
      } catch {
        // The line broke; the next one resumes where this one ended.
      }
      await sleep(reopenMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  void run();
  return {
    get lastEventId() {
      return ear.lastEventId ?? 0;
    },
    get quietMs() {
      return performance.now() - ear.heardMs;
    },
    opened: opened.promise,
    close: () => over.abort(),
  };
}

type Heard = { lastEventId: number | undefined; heardMs: number };

async function hear(
  options: EarOptions,
  ear: Heard,
  over: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const { url, path, token } = options;
  const silence = new AbortController();
  const signal = AbortSignal.any([over, silence.signal]);
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
  };
  if (ear.lastEventId !== undefined) headers['last-event-id'] = String(ear.lastEventId);
  let timer = setTimeout(() => silence.abort(), silenceMsMax);
  try {
    const answer = await fetch(`${url}${path}`, { headers, signal });
    if (answer.status !== 200 || answer.body === null) return;
    let rest = '';
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMsMax);
      const blocks = `${rest}${text}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block, options, ear);
      if (ear.lastEventId !== undefined) onOpen();
    }
  } finally {
    clearTimeout(timer);
  }
}

function take(block: string, { proc, recorder }: EarOptions, ear: Heard): void {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name !== '') fields.set(name, value);
  }
  const id = fields.get('id');
  const data = fields.get('data');
  if (data !== undefined && fields.get('event') === 'order') {
    const eventId = Number(id ?? 0);
    const { orderId, status } = JSON.parse(data) as { orderId: string; status: string };
    recorder.write({ t: Date.now(), proc, type: 'heard', eventId, orderId, status });
  }
  if (id !== undefined) ear.lastEventId = Number(id);
  ear.heardMs = performance.now();
}
