// A batcher: many small asks become few large ones.
//
// B1. Each item is answered exactly once: with its own result, its own error, or "busy".
// B2. Batches start in the order in which items came, and keep that order inside.
// B3. A batch has at most `sizeMax` items; at most `concurrencyMax` run at a time. While they run
//     items gather, so batches grow by themselves as the load does.
// B4. While there is room to run, the first item waits at most `waitMsMax`.
// B5. At most `queueMax` items wait, each for at most `ageMsMax`; what is refused was not run.

import assert from 'node:assert/strict';
import { ApiError } from '@rushlight/contracts';
import type { Environment } from './environment.ts';
import { currentSpan, endingWith, inSpan, Span } from './tracing/span.ts';

export type BatcherOptions<In, Out> = {
  /** What the batches are, for messages. */
  name: string;
  env: Pick<Environment, 'monotonicMs' | 'after'>;
  /**
   * Answers a batch: for each item, in the same order, a value or an Error. When it throws, every
   * item of the batch gets that error. It has a deadline of its own: one that never settles keeps
   * its place for ever.
   */
  run: (items: In[]) => Promise<readonly (Out | Error)[]>;
  sizeMax: number;
  /** How long the first item waits for company; 0: until the next microtask. */
  waitMsMax: number;
  queueMax: number;
  ageMsMax: number;
  concurrencyMax: number;
  /** Runs when a batch has been answered. */
  onBatch?: (batch: { size: number; durationMs: number }) => void;
  /** Hears how many items wait, whenever a batch is about to be taken and after it was. */
  onDepth?: (waiting: number) => void;
};

export type Batcher<In, Out> = {
  /**
   * Resolves with the item's own result.
   *
   * @throws ApiError('busy') when the queue is full, the item became too old before its batch
   *   started, or the batcher closes: nothing was done. Otherwise what `run` said or threw.
   */
  add(item: In): Promise<Out>;
  /** Items that wait; those that run do not count. */
  depth(): number;
  /** Refuses new items from now on; resolves when all that waited and ran are answered. */
  close(): Promise<void>;
};

export function createBatcher<In, Out>(options: BatcherOptions<In, Out>): Batcher<In, Out> {
  const batcher = new QueueBatcher(options);
  return {
    add: (item) => batcher.add(item),
    depth: () => batcher.depth(),
    close: () => batcher.close(),
  };
}

class QueueBatcher<In, Out> {
  readonly #options: BatcherOptions<In, Out>;
  // Five queues in step, one column each, so that an item costs no more than its promise.
  readonly #items: In[] = [];
  readonly #spans: (Span | undefined)[] = [];
  readonly #resolves: ((result: Out) => void)[] = [];
  readonly #rejects: ((error: unknown) => void)[] = [];
  readonly #addedMs: number[] = [];
  // One for all: a refusal has to be cheap, and to walk the stack for each is not.
  readonly #busy: ApiError;
  #running = 0;
  #gatherArmed = false;
  #cancelExpiry: (() => void) | undefined;
  #closing: { closed: Promise<void>; resolve: () => void } | undefined;

  constructor(options: BatcherOptions<In, Out>) {
    const { name, sizeMax, waitMsMax, queueMax, ageMsMax, concurrencyMax } = options;
    for (const [limit, value] of Object.entries({ sizeMax, queueMax, concurrencyMax })) {
      assert(Number.isInteger(value) && value > 0, `${name}: ${limit} ${value} must be positive`);
    }
    assert(waitMsMax >= 0, `${name}: waitMsMax ${waitMsMax} is negative`);
    assert(ageMsMax > waitMsMax, `${name}: ageMsMax ${ageMsMax} <= waitMsMax ${waitMsMax}`);
    this.#options = options;
    this.#busy = new ApiError('busy', { waitS: Math.max(1, Math.ceil(ageMsMax / 1000)) });
  }

  add(item: In): Promise<Out> {
    const { sizeMax, queueMax, env } = this.#options;
    if (this.#closing || this.#items.length >= queueMax) return Promise.reject(this.#busy);
    const answered = new Promise<Out>((resolve, reject) => {
      this.#resolves.push(resolve);
      this.#rejects.push(reject);
    });
    this.#items.push(item);
    this.#spans.push(currentSpan());
    this.#addedMs.push(env.monotonicMs());
    if (this.#items.length >= sizeMax) this.#pump();
    else this.#arm();
    return answered;
  }

  depth(): number {
    return this.#items.length;
  }

  close(): Promise<void> {
    if (!this.#closing) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closing = { closed: promise, resolve };
      this.#pump();
    }
    return this.#closing.closed;
  }

  /** Starts what can start now, and makes sure that somebody comes back for the rest. */
  #pump(): void {
    this.#expire();
    while (this.#running < this.#options.concurrencyMax && this.#isDue()) this.#start();
    this.#arm();
    if (this.#running > 0 || this.#items.length > 0) return;
    this.#closing?.resolve();
  }

  #isDue(): boolean {
    if (this.#items.length === 0) return false;
    if (this.#closing || this.#items.length >= this.#options.sizeMax) return true;
    // Timers count whole milliseconds and may fire a fraction early.
    return this.#options.waitMsMax - this.#oldestAgeMs() < 1;
  }

  #arm(): void {
    if (this.#items.length === 0) return;
    const { env, waitMsMax, ageMsMax, concurrencyMax } = this.#options;
    if (this.#running >= concurrencyMax) {
      this.#cancelExpiry ??= env.after(Math.max(1, ageMsMax + 1 - this.#oldestAgeMs()), () => {
        this.#cancelExpiry = undefined;
        this.#pump();
      });
      return;
    }
    // An armed timer stands for an item at least as old as the oldest of now: it comes in time.
    if (this.#gatherArmed) return;
    this.#gatherArmed = true;
    const gathered = (): void => {
      this.#gatherArmed = false;
      this.#pump();
    };
    if (waitMsMax === 0) queueMicrotask(gathered);
    else env.after(Math.max(0, waitMsMax - this.#oldestAgeMs()), gathered);
  }

  /** Answers items that waited too long. The oldest stand in front, so it stops at the first good. */
  #expire(): void {
    const { ageMsMax, env } = this.#options;
    const bornMs = env.monotonicMs() - ageMsMax;
    let count = 0;
    while (count < this.#addedMs.length && (this.#addedMs[count] ?? 0) < bornMs) count++;
    if (count === 0) return;
    const { rejects } = this.#take(count);
    for (const reject of rejects) reject(this.#busy);
  }

  #start(): void {
    const { sizeMax, onDepth } = this.#options;
    onDepth?.(this.#items.length);
    const batch = this.#take(sizeMax);
    onDepth?.(this.#items.length);
    this.#running++;
    void this.#run(batch).finally(() => {
      this.#running--;
      this.#pump();
    });
  }

  async #run({ items, spans, resolves, rejects }: Batch<In, Out>): Promise<void> {
    const { name, env, onBatch } = this.#options;
    const startedMs = env.monotonicMs();
    const size = items.length;
    try {
      const results = await this.#runTraced(items, spans);
      assert(results.length === size, `${name}: ${results.length} results for ${size} items`);
      results.forEach((result, index) => {
        if (result instanceof Error) rejects[index]?.(result);
        else resolves[index]?.(result);
      });
    } catch (error) {
      for (const reject of rejects) reject(error);
    }
    onBatch?.({ size, durationMs: env.monotonicMs() - startedMs });
  }

  /** In a span of its own, when those who wait for it have one. */
  async #runTraced(items: In[], spans: Batch<In, Out>['spans']): Promise<readonly (Out | Error)[]> {
    const { name, run } = this.#options;
    const members = spans.filter((span) => span !== undefined);
    if (members.length === 0) return run(items);
    const span = Span.joining(members, name, { 'rushlight.batch.size': items.length });
    return endingWith([span], () => inSpan(span, () => run(items)));
  }

  #take(count: number): Batch<In, Out> {
    this.#addedMs.splice(0, count);
    return {
      items: this.#items.splice(0, count),
      spans: this.#spans.splice(0, count),
      resolves: this.#resolves.splice(0, count),
      rejects: this.#rejects.splice(0, count),
    };
  }

  #oldestAgeMs(): number {
    const nowMs = this.#options.env.monotonicMs();
    return nowMs - (this.#addedMs[0] ?? nowMs);
  }
}

type Batch<In, Out> = {
  items: In[];
  spans: (Span | undefined)[];
  resolves: ((result: Out) => void)[];
  rejects: ((error: unknown) => void)[];
};
