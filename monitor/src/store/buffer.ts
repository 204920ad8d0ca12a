// What was taken in and is not yet written: a queue with an end.
//
// B1. Never more than `recordsMax` records and about `bytesMax` bytes wait. What comes on top pushes
//     out the oldest, whatever its kind, and is counted by kind.
// B2. What could not be written goes back to the front: it is the oldest, and the first to go.
// B3. Bytes are an estimate of the memory that records take, not of the file.

import type { Attributes, AttributeValue, LogRecord, Sample, Span } from '../model.ts';
import type { TelemetryKind } from './face.ts';

export type Batch =
  | { kind: 'spans'; records: readonly Span[] }
  | { kind: 'logs'; records: readonly LogRecord[] }
  | { kind: 'samples'; records: readonly Sample[] };

type Waiting = Batch & { bytes: number };

/** Large arrivals are cut into pieces of this many records, so that little is pushed out at once. */
const pieceRecordsMax = 512;

export class TelemetryBuffer {
  readonly #recordsMax: number;
  readonly #bytesMax: number;
  readonly #onDropped: (kind: TelemetryKind, records: number) => void;
  #queue: Waiting[] = [];
  #records = 0;
  #bytes = 0;

  constructor(options: {
    recordsMax: number;
    bytesMax: number;
    onDropped: (kind: TelemetryKind, records: number) => void;
  }) {
    this.#recordsMax = options.recordsMax;
    this.#bytesMax = options.bytesMax;
    this.#onDropped = options.onDropped;
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(batch: Batch): void {
    for (let from = 0; from < batch.records.length; from += pieceRecordsMax) {
      this.#add(piece(batch, from), 'back');
    }
    this.#pushOut();
  }

  /** The oldest ones, up to about this many records. */
  take(recordsMax: number): Batch[] {
    let records = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && records + waiting.records.length > recordsMax) break;
      records += waiting.records.length;
      count += 1;
    }
    const taken = this.#queue.splice(0, count);
    for (const { bytes } of taken) this.#bytes -= bytes;
    this.#records -= records;
    return taken;
  }

  /** B2 */
  putBack(batches: readonly Batch[]): void {
    for (const batch of [...batches].reverse()) this.#add(batch, 'front');
    this.#pushOut();
  }

  #add(batch: Batch, end: 'front' | 'back'): void {
    const waiting: Waiting = { ...batch, bytes: bytesOf(batch) };
    if (end === 'front') this.#queue.unshift(waiting);
    else this.#queue.push(waiting);
    this.#records += waiting.records.length;
    this.#bytes += waiting.bytes;
  }

  #pushOut(): void {
    let count = 0;
    while (this.#records > this.#recordsMax || this.#bytes > this.#bytesMax) {
      const oldest = this.#queue[count];
      if (oldest === undefined) break;
      this.#records -= oldest.records.length;
      this.#bytes -= oldest.bytes;
      this.#onDropped(oldest.kind, oldest.records.length);
      count += 1;
    }
    this.#queue.splice(0, count);
  }
}

function piece(batch: Batch, from: number): Batch {
  const to = from + pieceRecordsMax;
  if (from === 0 && batch.records.length <= pieceRecordsMax) return batch;
  switch (batch.kind) {
    case 'spans':
      return { kind: batch.kind, records: batch.records.slice(from, to) };
    case 'logs':
      return { kind: batch.kind, records: batch.records.slice(from, to) };
    case 'samples':
      return { kind: batch.kind, records: batch.records.slice(from, to) };
  }
}

function bytesOf(batch: Batch): number {
  switch (batch.kind) {
    case 'spans':
      return batch.records.reduce((sum, span) => sum + spanBytes(span), 0);
    case 'logs':
      return batch.records.reduce((sum, record) => sum + logBytes(record), 0);
    case 'samples':
      return batch.records.reduce((sum, sample) => sum + sampleBytes(sample), 0);
  }
}

function spanBytes(span: Span): number {
  let bytes = 400 + span.name.length + attributesBytes(span.attributes);
  bytes += span.statusMessage?.length ?? 0;
  for (const event of span.events) bytes += 100 + attributesBytes(event.attributes);
  for (const link of span.links) bytes += 200 + attributesBytes(link.attributes);
  return bytes;
}

function logBytes(record: LogRecord): number {
  const texts = record.message.length + record.line.length;
  return 300 + texts + attributesBytes(record.attributes);
}

function sampleBytes(sample: Sample): number {
  let bytes = 100;
  for (const key in sample.labels) bytes += 32 + key.length;
  return bytes;
}

function attributesBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const key in attributes) bytes += 32 + valueBytes(attributes[key]);
  return bytes;
}

function valueBytes(value: AttributeValue | undefined): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object') return 8;
  return value.reduce<number>((sum, item) => sum + 16 + valueBytes(item), 0);
}
