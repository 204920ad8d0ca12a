// Values of attributes, within their limits.

import type { AttributeValue } from '../model.ts';
import { type AnyValue, decodeLimits } from './messages.ts';

/** Adds an attribute. An empty value is none. */
export function attributeOf(
  into: Record<string, AttributeValue>,
  key: string,
  value: AnyValue,
): void {
  const plain = plainOf(value);
  if (plain !== undefined && key !== '' && key !== '__proto__') into[key] = plain;
}

/** Lists stay lists; an object becomes JSON text. */
function plainOf(value: AnyValue): AttributeValue | undefined {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === null) return undefined;
  if (isList(value)) {
    const list = value.slice(0, decodeLimits.attributesMax);
    return list.map((item) => plainOf(item) ?? '');
  }
  return cut(JSON.stringify(value));
}

export function isList(value: AnyValue): value is readonly AnyValue[] {
  return Array.isArray(value);
}

function cut(text: string): string {
  return text.length > decodeLimits.valueLengthMax
    ? text.slice(0, decodeLimits.valueLengthMax).toWellFormed()
    : text;
}
