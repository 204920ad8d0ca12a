// OTLP in JSON: ids in hex, 64-bit numbers as text or number, enumerations as numbers, names in
// camelCase; unknown names are skipped. Read by the table of messages.ts into the same values as the
// binary form.
//
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

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

type Json = Readonly<Record<string, unknown>>;

/** @throws MalformedError */
export function decodeJson<Name extends MessageName>(name: Name, text: string): Decoded<Name> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MalformedError(`It is no JSON: ${(error as Error).message}`);
  }
  return message(name, value, 0) as Decoded<Name>;
}

function message(name: string, value: unknown, depth: number): Json {
  const given = objectOf(value, name);
  const made: Record<string, unknown> = {};
  for (const field of messages[name as MessageName] as readonly Field[]) {
    const sent = given[field.name];
    if (sent === undefined || sent === null) continue;
    if (field.type === 'attributes') {
      made[field.name] = attributes(listOf(sent, field.name), depth);
    } else if (field.repeated) {
      made[field.name] = listOf(sent, field.name).map((item) => fieldValue(field, item, depth));
    } else {
      made[field.name] = fieldValue(field, sent, depth);
    }
  }
  return made;
}

function fieldValue({ name, type }: Field, value: unknown, depth: number): unknown {
  switch (type) {
    case 'text':
      return textOf(value, name);
    case 'id':
      return textOf(value, name).toLowerCase();
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw new MalformedError(`${name} is ${shown(value)}, it must be true or false.`);
    case 'varint':
    case 'fixed64':
    case 'sfixed64':
      return Number(wholeOf(value, name));
    case 'nanos':
      return microsecondsOf(value, name);
    case 'double':
      return doubleOf(value, name);
    case 'anyValue':
      return anyValue(value, depth + 1);
    default:
      return message(type, value, depth + 1);
  }
}

function attributes(list: readonly unknown[], depth: number): Record<string, AttributeValue> {
  const made: Record<string, AttributeValue> = {};
  for (const item of list.slice(0, decodeLimits.attributesMax)) {
    const pair = objectOf(item, 'an attribute');
    const key = textOf(pair['key'] ?? '', 'key');
    attributeOf(made, key, anyValue(pair['value'] ?? {}, depth + 1));
  }
  return made;
}

function anyValue(value: unknown, depth: number): AnyValue {
  if (depth > decodeLimits.depthMax) {
    throw new MalformedError(`Values are nested more than ${decodeLimits.depthMax} deep.`);
  }
  const given = objectOf(value, 'a value');
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = given;
  if (stringValue != null) return textOf(stringValue, 'stringValue');
  if (boolValue != null) {
    return Boolean(fieldValue({ name: 'boolValue', number: 2, type: 'bool' }, boolValue, depth));
  }
  if (intValue != null) {
    const whole = wholeOf(intValue, 'intValue');
    const number = Number(whole);
    return Number.isSafeInteger(number) ? number : String(whole);
  }
  if (doubleValue != null) {
    const double = doubleOf(doubleValue, 'doubleValue');
    return Number.isFinite(double) ? double : String(double);
  }
  if (bytesValue != null) return textOf(bytesValue, 'bytesValue');
  if (given['arrayValue'] != null) {
    const { values = [] } = objectOf(given['arrayValue'], 'arrayValue');
    return listOf(values, 'values').map((item) => anyValue(item, depth + 1));
  }
  if (given['kvlistValue'] != null) return keyValueList(given['kvlistValue'], depth);
  return null;
}

function keyValueList(value: unknown, depth: number): { [key: string]: AnyValue } {
  const { values = [] } = objectOf(value, 'kvlistValue');
  return Object.fromEntries(
    listOf(values, 'values').map((item) => {
      const pair = objectOf(item, 'a value');
      return [textOf(pair['key'] ?? '', 'key'), anyValue(pair['value'] ?? {}, depth + 1)];
    }),
  );
}

function objectOf(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new MalformedError(`${name} is ${shown(value)}, it must be an object.`);
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new MalformedError(`${name} is ${shown(value)}, it must be a list.`);
}

/** Well-formed Unicode: half a pair would make JSON that other readers refuse. */
function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value.toWellFormed();
  throw new MalformedError(`${name} is ${shown(value)}, it must be text.`);
}

function wholeOf(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new MalformedError(`${name} is ${shown(value)}, it must be a whole number.`);
}

function microsecondsOf(value: unknown, name: string): number {
  const nanos = wholeOf(value, name);
  return Number(nanos / 1_000n) + Number(nanos % 1_000n) / 1_000;
}

function doubleOf(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) {
    return Number(value);
  }
  throw new MalformedError(`${name} is ${shown(value)}, it must be a number.`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
