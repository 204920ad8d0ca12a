// A client for server-sent events over `fetch`, so that the token travels in a header.
//
// S1. The last id seen is sent as Last-Event-ID on every new connection: nothing is missed.
// S2. A lost connection is tried again for ever, after a jittered back-off that starts anew once
//     the stream was up; Retry-After is honoured.
// S3. A stream that is silent for `silenceMsMax` counts as lost: a dead peer sends nothing, not even
//     an end.
// S4. A refused token ends it for good.

import { createParser } from 'eventsource-parser';

export type StreamMessage = { readonly kind: string; readonly data: unknown };

export type StreamState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'interrupted'; tries: number; retryAtMs: number }
  | { kind: 'refused' }
  | { kind: 'closed' };

export type StreamWorld = {
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Resolves after the time; rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type StreamOptions = {
  readonly url: string;
  readonly token: string;
  readonly world: StreamWorld;
  readonly lastEventId?: string | undefined;
  readonly silenceMsMax?: number;
  readonly onMessage: (message: StreamMessage) => void;
  readonly onState: (state: StreamState) => void;
};

export type Stream = { close(): void; lastEventId(): string | undefined; ended: Promise<void> };

const backOffMsMin = 250;
const backOffMsMax = 10_000;
const silenceMsDefault = 45_000;
const connectMsMax = 10_000;

/** The wait before try number `tries` (1 is the first again), in ms; half of it is chance. */
export function backOffMs(tries: number, random: number): number {
  const ceilingMs = Math.min(backOffMsMax, backOffMsMin * 2 ** (tries - 1));
  return Math.round(ceilingMs * (0.5 + random / 2));
}

/** Opens the stream and keeps it open until `close`. */
export function openStream(options: StreamOptions): Stream {
  const closing = new AbortController();
  let lastEventId = options.lastEventId;
  const connection = {
    options,
    signal: closing.signal,
    lastEventId: () => lastEventId,
    onId: (id: string) => {
      lastEventId = id === '' ? undefined : id;
    },
  };
  const ended = keepOpen(connection).then((state) => options.onState(state));
  return { close: () => closing.abort(), lastEventId: () => lastEventId, ended };
}

type Connection = {
  readonly options: StreamOptions;
  readonly signal: AbortSignal;
  readonly lastEventId: () => string | undefined;
  readonly onId: (id: string) => void;
};

type End = { kind: 'lost'; wasLive: boolean; retryAfterMs?: number } | { kind: 'refused' };

async function keepOpen(connection: Connection): Promise<StreamState> {
  const { options, signal } = connection;
  const { world } = options;
  options.onState({ kind: 'connecting' });
  let tries = 0;
  while (!signal.aborted) {
    const end = await connectOnce(connection);
    if (signal.aborted) break;
    if (end.kind === 'refused') return { kind: 'refused' };
    tries = end.wasLive ? 1 : tries + 1;
    const waitMs = Math.max(end.retryAfterMs ?? 0, backOffMs(tries, world.random()));
    options.onState({ kind: 'interrupted', tries, retryAtMs: world.nowMs() + waitMs });
    await world.sleep(waitMs, signal).catch(() => undefined);
  }
  return { kind: 'closed' };
}

/** One connection, from its request to its end. Never throws. */
async function connectOnce(connection: Connection): Promise<End> {
  const { options, signal } = connection;
  const lost = new AbortController();
  const watch = watchSilence(options, lost);
  const both = AbortSignal.any([signal, lost.signal]);
  let wasLive = false;
  try {
    watch.expect(connectMsMax);
    const reply = await request(connection, both);
    if (reply.status === 401 || reply.status === 403) return { kind: 'refused' };
    if (!reply.ok || !reply.body) return { kind: 'lost', wasLive, ...retryAfter(reply) };
    wasLive = true;
    options.onState({ kind: 'live' });
    await readEvents(connection, reply.body, () =>
      watch.expect(options.silenceMsMax ?? silenceMsDefault),
    );
    return { kind: 'lost', wasLive };
  } catch {
    return { kind: 'lost', wasLive };
  } finally {
    watch.stop();
    lost.abort();
  }
}

function request({ options, lastEventId }: Connection, signal: AbortSignal): Promise<Response> {
  const id = lastEventId();
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${options.token}`,
    ...(id === undefined ? {} : { 'last-event-id': id }),
  };
  return options.world.fetch(options.url, { headers, signal, cache: 'no-store' });
}

function retryAfter(reply: Response): { retryAfterMs?: number } {
  const seconds = Number(reply.headers.get('retry-after') ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 0) return {};
  return { retryAfterMs: Math.min(60, seconds) * 1_000 };
}

async function readEvents(
  { options, onId }: Connection,
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
): Promise<void> {
  const parser = createParser({
    onId,
    onEvent: ({ event = 'message', data }) => {
      const message = parse(data);
      if (message !== undefined) options.onMessage({ kind: event, data: message });
    },
  });
  const decoder = new TextDecoder();
  onBytes();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** Aborts the connection when nothing came for the expected time (S3). */
function watchSilence({ world }: StreamOptions, lost: AbortController) {
  let waiting = new AbortController();
  return {
    expect(ms: number): void {
      waiting.abort();
      waiting = new AbortController();
      world.sleep(ms, waiting.signal).then(
        () => lost.abort(),
        () => undefined,
      );
    },
    stop: (): void => waiting.abort(),
  };
}
