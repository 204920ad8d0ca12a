// Open streams, and the one tail that feeds them.
//
// T1. Live and replayed events come from the same table by the same ids: a stream first reads what it
//     has missed, and joins the tail at the very id where the two meet.
// T2. A slow reader is cut off at a limit, never waited for: it resumes by Last-Event-ID. Only while
//     it reads what it has missed is it given time, a page at a time.
// T3. Whatever happens to the database, streams stay open; the tail goes on where it stood.
// T4. A stream that ends while its client does not read is cut: nothing waits for such a client.
// T5. While nobody listens nothing is read: the tail follows the head.

import type { Environment, Log } from '@rushlight/chassis';
import { ApiError } from '@rushlight/contracts';
import { type Listening, OpenStreams, wants } from './open-streams.ts';
import { noLimit, type StreamRow, type StreamStore } from './store.ts';

/** Where a stream is written to; `node:http`'s response is one. */
export type Sink = {
  write(text: string): void;
  /** Bytes that were written and are not yet taken. */
  waitingBytes(): number;
  /** Resolves when all was taken, or nobody is there any more. */
  drained(): Promise<void>;
  end(): void;
  /** Ends it at once, with whatever still waits. */
  cut(): void;
};

export type StreamRequest = Listening & {
  lastEventId: string | undefined;
  expiresAtMs: number;
  sink: Sink;
};

export type StreamLimits = {
  streamsMax: number;
  streamsPerOwnerMax: number;
  waitingBytesMax: number;
};

/** `sentId`: everything up to it was sent, or is not for this stream. */
type OpenStream = StreamRequest & { live: boolean; closed: boolean; sentId: number };

export type StreamsParts = {
  store: Pick<StreamStore, 'read' | 'bounds'>;
  env: Environment;
  log: Log;
  limits: StreamLimits;
  onSent: (kind: StreamRow['kind'], count: number) => void;
};

const pageRows = 1_000;
/** How long a stream may take to read one page of what it has missed. */
const pageMsMax = 15_000;

export class Streams {
  readonly #parts: StreamsParts;
  readonly #open = new OpenStreams<OpenStream>();
  #tailId = 0;
  #tailing: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Stands the tail at the newest event; nothing older is live. */
  async start(): Promise<void> {
    this.#tailId = (await this.#parts.store.bounds()).headId;
  }

  /** Refuses early, before anything is written. @throws ApiError busy */
  admit(owner: string): void {
    const { streamsMax, streamsPerOwnerMax } = this.#parts.limits;
    const full = this.#open.size >= streamsMax || this.#open.sizeOf(owner) >= streamsPerOwnerMax;
    if (full || this.#closed) throw new ApiError('busy', { waitS: 2 });
  }

  /**
   * Opens a stream and brings it up to now. Returns how to close it, to be called when the client
   * is gone.
   */
  open(request: StreamRequest): () => void {
    const stream: OpenStream = { ...request, live: false, closed: false, sentId: 0 };
    this.#open.add(stream);
    const close = (): void => this.#close(stream);
    this.#catchUp(stream).catch((error) => {
      // The client comes again with the last id that it has: nothing is lost.
      this.#parts.log.warn({ error }, 'a stream could not be brought up to now');
      close();
    });
    return close;
  }

  /** Reads what is new and sends it; called often, and whenever something was written. */
  async wake(): Promise<void> {
    this.#again = true;
    this.#tailing ??= this.#tail().finally(() => {
      this.#tailing = undefined;
    });
    return this.#tailing;
  }

  /** A sign of life on every stream. */
  beat(): void {
    for (const stream of this.#open.all()) this.#write(stream, ':\n\n');
  }

  /** Ends the streams whose token is over. */
  endExpired(): void {
    const nowMs = this.#parts.env.nowMs();
    for (const stream of this.#open.all()) if (stream.expiresAtMs <= nowMs) this.#close(stream);
  }

  /** Ends all streams, for good: clients come back to somebody who stays. */
  closeAll(): void {
    this.#closed = true;
    for (const stream of this.#open.all()) this.#close(stream);
  }

  async #tail(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      if (this.#open.size === 0) {
        const { headId } = await this.#parts.store.bounds();
        if (this.#open.size === 0) this.#tailId = headId;
        else this.#again = true; // Whoever came meanwhile starts at the tail as it was.
        continue;
      }
      const rows = await this.#parts.store.read(this.#tailId, noLimit, pageRows, {});
      // No await between here and the next read: T1's meeting point must not move meanwhile.
      this.#sendLive(rows);
      this.#tailId = rows.at(-1)?.id ?? this.#tailId;
      if (rows.length === pageRows) this.#again = true;
    }
  }

  /** One write per stream, however many of the rows are for it. */
  #sendLive(rows: readonly StreamRow[]): void {
    const texts = new Map<OpenStream, string>();
    const sent = { order: 0, menu: 0 };
    for (const row of rows) {
      const text = frame(row);
      for (const listeners of this.#open.listenersOf(row)) {
        for (const stream of listeners) {
          if (!stream.live || row.id <= stream.sentId) continue;
          texts.set(stream, (texts.get(stream) ?? '') + text);
          sent[row.kind] += 1;
        }
      }
    }
    for (const [stream, text] of texts) this.#write(stream, text);
    this.#count(sent);
  }

  async #catchUp(stream: OpenStream): Promise<void> {
    let after = await this.#startOf(stream);
    while (!stream.closed) {
      const upTo = this.#tailId;
      if (after >= upTo) {
        stream.sentId = after;
        stream.live = true;
        return;
      }
      const rows = await this.#parts.store.read(after, upTo, pageRows, stream.audience);
      const wanted = rows.filter((row) => wants(stream, row));
      this.#write(stream, wanted.map(frame).join(''));
      const menu = wanted.filter((row) => row.kind === 'menu').length;
      this.#count({ menu, order: wanted.length - menu });
      after = rows.length === pageRows ? (rows.at(-1)?.id ?? upTo) : upTo;
      await this.#givenTime(stream);
    }
  }

  /** Waits until the client has read, not for ever (T2). */
  async #givenTime(stream: OpenStream): Promise<void> {
    const cancel = this.#parts.env.after(pageMsMax, () => this.#close(stream));
    await stream.sink.drained();
    cancel();
  }

  /** The id after which this stream begins; says so, or says `reset`, as its first line. */
  async #startOf(stream: OpenStream): Promise<number> {
    const { lastEventId } = stream;
    if (lastEventId === undefined) {
      // The tail may lag behind the head; whoever connects now gets everything after it.
      const startId = this.#tailId;
      this.#write(stream, `id: ${startId}\n: from now on\n\n`);
      return startId;
    }
    const { headId, forgottenId } = await this.#parts.store.bounds();
    const given = /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : Number.NaN;
    if (given >= forgottenId && given <= headId) return given;
    const why =
      given < forgottenId
        ? 'events since Last-Event-ID are no longer kept'
        : 'Last-Event-ID is not one of ours';
    const startId = this.#tailId;
    this.#write(stream, `id: ${startId}\nevent: reset\ndata: ${JSON.stringify({ why })}\n\n`);
    return startId;
  }

  #count(sent: Record<StreamRow['kind'], number>): void {
    for (const kind of ['order', 'menu'] as const) {
      if (sent[kind] > 0) this.#parts.onSent(kind, sent[kind]);
    }
  }

  #write(stream: OpenStream, text: string): void {
    if (stream.closed || text === '') return;
    stream.sink.write(text);
    const { waitingBytesMax } = this.#parts.limits;
    if (stream.live && stream.sink.waitingBytes() > waitingBytesMax) this.#close(stream); // T2
  }

  #close(stream: OpenStream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#open.delete(stream);
    if (stream.sink.waitingBytes() > 0)
      stream.sink.cut(); // T4
    else stream.sink.end();
  }
}

function frame(row: StreamRow): string {
  return `id: ${row.id}\nevent: ${row.kind}\ndata: ${row.data}\n\n`;
}
