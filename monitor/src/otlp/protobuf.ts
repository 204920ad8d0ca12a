// OTLP in protobuf's wire format, read by the table of messages.ts.
//
// W1. Nothing is read outside of the message that it belongs to; what does not fit is malformed.
// W2. Unknown fields are skipped; of a field that comes twice the last one counts.
// W3. The work is bounded by the length of the body and by `decodeLimits`.
//
// Encoding: https://protobuf.dev/programming-guides/encoding/

import type { AttributeValue } from '../model.ts';
import { attributeOf } from './any-value.ts';
import {
  type AnyValue,
  type Decoded,
  decodeLimits,
  type Field,
  MalformedError,
  type MessageName,
  messages,
} from './messages.ts';

const twoTo32 = 4_294_967_296;

type Made = Record<string, unknown>;

const fieldsByNumber = new Map<string, readonly (Field | undefined)[]>(
  Object.entries(messages).map(([name, fields]) => {
    const byNumber: (Field | undefined)[] = [];
    for (const field of fields as readonly Field[]) byNumber[field.number] = field;
    return [name, byNumber];
  }),
);

/** @throws MalformedError */
export function decodeProtobuf<Name extends MessageName>(
  name: Name,
  bytes: Uint8Array,
): Decoded<Name> {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Reader(body).message(name, body.length, 0) as Decoded<Name>;
}

class Reader {
  readonly #body: Buffer;
  #at = 0;
  #parts = 0;
  /** The wire type of the field that is being read. */
  #wireType = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  message(name: string, end: number, depth: number): Made {
    this.#count(depth);
    const fields = fieldsByNumber.get(name) ?? [];
    const made: Made = {};
    let attributes = 0;
    while (this.#at < end) {
      const field = fields[this.#tag(end)];
      const isAttributes = field?.type === 'attributes';
      if (isAttributes) attributes += 1;
      if (field === undefined) this.#skip(end);
      else if (attributes > decodeLimits.attributesMax && isAttributes) this.#skip(end);
      else this.#field(made, field, end, depth);
    }
    return made;
  }

  #field(made: Made, field: Field, end: number, depth: number): void {
    const { name, type } = field;
    if (type === 'attributes') {
      made[name] ??= {};
      this.#keyValue(made[name] as Record<string, AttributeValue>, this.#length(end, name), depth);
      return;
    }
    if (!field.repeated) {
      made[name] = this.#value(field, end, depth);
      return;
    }
    made[name] ??= [];
    const list = made[name] as unknown[];
    if (this.#wireType === 2 && (type === 'double' || type === 'fixed64')) {
      const packedEnd = this.#length(end, name);
      while (this.#at < packedEnd) {
        this.#wireType = 1;
        list.push(this.#value(field, packedEnd, depth));
        this.#wireType = 2;
      }
    } else {
      list.push(this.#value(field, end, depth));
    }
  }

  #value({ name, type }: Field, end: number, depth: number): unknown {
    switch (type) {
      case 'text':
        return this.#text(this.#length(end, name));
      case 'id': {
        const to = this.#length(end, name);
        const text = this.#body.toString('hex', this.#at, to);
        this.#at = to;
        return text;
      }
      case 'bool':
        return this.#varintOf(end, name) !== 0;
      case 'varint':
        return this.#varintOf(end, name);
      case 'nanos':
        return this.#nanos(end, name);
      case 'fixed64':
        return this.#fixed64(end, name, 'unsigned');
      case 'sfixed64':
        return this.#fixed64(end, name, 'signed');
      case 'double': {
        this.#mustBe(1, name);
        const at = this.#take(8, end);
        return this.#body.readDoubleLE(at);
      }
      case 'anyValue':
        return this.#anyValue(this.#length(end, name), depth + 1);
      default:
        return this.message(type, this.#length(end, name), depth + 1);
    }
  }

  #keyValue(into: Record<string, AttributeValue>, end: number, depth: number): void {
    this.#count(depth);
    let key = '';
    let value: AnyValue = null;
    while (this.#at < end) {
      const number = this.#tag(end);
      if (number === 1) key = this.#text(this.#length(end, 'key'));
      else if (number === 2) value = this.#anyValue(this.#length(end, 'value'), depth + 1);
      else this.#skip(end);
    }
    attributeOf(into, key, value);
  }

  /** AnyValue of common.proto. */
  #anyValue(end: number, depth: number): AnyValue {
    this.#count(depth);
    let value: AnyValue = null;
    while (this.#at < end) {
      const number = this.#tag(end);
      if (number === 1) value = this.#text(this.#length(end, 'stringValue'));
      else if (number === 2) value = this.#varintOf(end, 'boolValue') !== 0;
      else if (number === 3) value = this.#int64(end);
      else if (number === 4) {
        this.#mustBe(1, 'doubleValue');
        const double = this.#body.readDoubleLE(this.#take(8, end));
        value = Number.isFinite(double) ? double : String(double);
      } else if (number === 5) value = this.#list(this.#length(end, 'arrayValue'), depth);
      else if (number === 6) value = this.#keyValueList(this.#length(end, 'kvlistValue'), depth);
      else if (number === 7) {
        const to = this.#length(end, 'bytesValue');
        value = this.#body.toString('base64', this.#at, to);
        this.#at = to;
      } else this.#skip(end);
    }
    return value;
  }

  #list(end: number, depth: number): AnyValue[] {
    const list: AnyValue[] = [];
    while (this.#at < end) {
      if (this.#tag(end) === 1) list.push(this.#anyValue(this.#length(end, 'values'), depth + 1));
      else this.#skip(end);
    }
    return list;
  }

  #keyValueList(end: number, depth: number): { [key: string]: AnyValue } {
    const entries: [string, AnyValue][] = [];
    while (this.#at < end) {
      if (this.#tag(end) !== 1) {
        this.#skip(end);
        continue;
      }
      const pairEnd = this.#length(end, 'values');
      let key = '';
      let value: AnyValue = null;
      while (this.#at < pairEnd) {
        const number = this.#tag(pairEnd);
        if (number === 1) key = this.#text(this.#length(pairEnd, 'key'));
        else if (number === 2) value = this.#anyValue(this.#length(pairEnd, 'value'), depth + 1);
        else this.#skip(pairEnd);
      }
      entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  #tag(end: number): number {
    const tag = this.#varint(end);
    this.#wireType = tag & 7;
    const number = Math.floor(tag / 8);
    if (number === 0) throw new MalformedError(`Byte ${this.#at}: there is no field 0.`);
    return number;
  }

  #skip(end: number): void {
    switch (this.#wireType) {
      case 0:
        this.#varint(end);
        return;
      case 1:
        this.#take(8, end);
        return;
      case 2:
        this.#at = this.#length(end, 'a field');
        return;
      case 5:
        this.#take(4, end);
        return;
      default:
        throw new MalformedError(`Byte ${this.#at}: wire type ${this.#wireType} is not in use.`);
    }
  }

  /** Where the field ends that begins with its length. */
  #length(end: number, name: string): number {
    this.#mustBe(2, name);
    const length = this.#varint(end);
    if (length > end - this.#at) {
      throw new MalformedError(
        `Byte ${this.#at}: ${name} has ${length} bytes, and only ${end - this.#at} are left.`,
      );
    }
    return this.#at + length;
  }

  #text(end: number): string {
    const text = this.#body.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  /** Up to 10 bytes; what is larger than 2^53 loses its last digits, negative ones are not read. */
  #varint(end: number): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.#at >= end) throw new MalformedError(`Byte ${this.#at}: the body ends in a number.`);
      const byte = this.#body[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new MalformedError(`Byte ${this.#at}: a number is longer than ten bytes.`);
  }

  #varintOf(end: number, name: string): number {
    this.#mustBe(0, name);
    return this.#varint(end);
  }

  /** Exact: what a number cannot hold becomes text. */
  #int64(end: number): number | string {
    this.#mustBe(0, 'intValue');
    const start = this.#at;
    const value = this.#varint(end);
    if (Number.isSafeInteger(value)) return value;
    let exact = 0n;
    for (let at = this.#at - 1; at >= start; at -= 1) {
      exact = exact * 128n + BigInt((this.#body[at] ?? 0) & 0x7f);
    }
    const signed = BigInt.asIntN(64, exact);
    const short = Number(signed);
    return Number.isSafeInteger(short) ? short : String(signed);
  }

  #nanos(end: number, name: string): number {
    this.#mustBe(1, name);
    const at = this.#take(8, end);
    const low = this.#body.readUInt32LE(at);
    const high = this.#body.readUInt32LE(at + 4);
    return Math.floor(high / 1_000) * twoTo32 + ((high % 1_000) * twoTo32 + low) / 1_000;
  }

  #fixed64(end: number, name: string, sign: 'signed' | 'unsigned'): number {
    this.#mustBe(1, name);
    const at = this.#take(8, end);
    const low = this.#body.readUInt32LE(at);
    const high =
      sign === 'signed' ? this.#body.readInt32LE(at + 4) : this.#body.readUInt32LE(at + 4);
    return high * twoTo32 + low;
  }

  #take(bytes: number, end: number): number {
    const at = this.#at;
    if (bytes > end - at) throw new MalformedError(`Byte ${at}: the body ends in a number.`);
    this.#at += bytes;
    return at;
  }

  #mustBe(wireType: number, name: string): void {
    if (this.#wireType === wireType) return;
    throw new MalformedError(
      `Byte ${this.#at}: ${name} is sent with wire type ${this.#wireType}, it has ${wireType}.`,
    );
  }

  /** W3 */
  #count(depth: number): void {
    this.#parts += 1;
    if (this.#parts > decodeLimits.partsMax) {
      throw new MalformedError(
        `It has more than ${decodeLimits.partsMax} parts; send less at once.`,
      );
    }
    if (depth > decodeLimits.depthMax) {
      throw new MalformedError(`Values are nested more than ${decodeLimits.depthMax} deep.`);
    }
  }
}
