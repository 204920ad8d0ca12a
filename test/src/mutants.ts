// Wrong values made from a contract's schema: each breaks exactly one rule of it.

import { z } from 'zod';

export type Mutant = { what: string; value: unknown };

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  format?: string;
};

const wrongTypes: readonly unknown[] = [null, true, 7, 'seven', [], ['a'], {}, { a: 1 }];

/** Text that attacks what careless code does with it. */
export const attacks: readonly string[] = [
  `'; DROP TABLE orders; --`,
  `" OR ""="`,
  `1) OR (1=1`,
  '\\x27; SELECT pg_sleep(10); --',
  `$\{7*7}{{7*7}}<%= 7*7 %>#{7*7}`,
  '$where: 1 == 1',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '%00%0a%0d',
  '__proto__',
  'constructor',
  'line\r\nX-Injected: yes',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202eevil\u2066',
  '\u{1f35b}'.repeat(20),
  'Ω≈ç√∫˜µ≤',
];

/** Every value that breaks one rule of this schema, made from a right one. */
export function mutantsOf(schema: z.ZodType, right: unknown): Mutant[] {
  return mutate(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema, right);
}

function mutate(schema: Schema, right: unknown): Mutant[] {
  const types = wrongTypes
    .filter((value) => !fits(schema, value))
    .map((value) => ({ what: `is ${JSON.stringify(value)}`, value }));
  return [...types, ...rulesOf(schema, right)];
}

function rulesOf(schema: Schema, right: unknown): Mutant[] {
  switch (schema.type) {
    case 'object':
      return ofObject(schema, (right ?? {}) as Record<string, unknown>);
    case 'array':
      return ofArray(schema, (right ?? []) as unknown[]);
    case 'string':
      return ofString(schema);
    case 'integer':
    case 'number':
      return ofNumber(schema);
    default:
      return [];
  }
}

function fits(
  { type, properties, enum: allowed, pattern, format }: Schema,
  value: unknown,
): boolean {
  if (allowed) return allowed.includes(value);
  switch (type) {
    case 'object':
      // None of the others has the fields that are asked for, or it has unknown ones.
      return JSON.stringify(value) === '{}' && Object.keys(properties ?? {}).length === 0;
    case 'array':
      return Array.isArray(value);
    case 'integer':
    case 'number':
      return typeof value === 'number';
    case 'string':
      if (typeof value !== 'string' || format !== undefined) return false;
      return pattern === undefined || matches(value, pattern);
    default:
      return true;
  }
}

function ofObject(schema: Schema, right: Record<string, unknown>): Mutant[] {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const without = Object.fromEntries(Object.entries(right).filter(([other]) => other !== name));
    const missing = required.has(name) ? [{ what: `${name} is missing`, value: without }] : [];
    const wrong = mutate(field, right[name]).map(({ what, value }) => ({
      what: `${name} ${what}`,
      value: { ...right, [name]: value },
    }));
    return [...missing, ...wrong];
  });
  const unknown = ['surprise', 'isAdmin', 'studentID', 'role '].map((name) => ({
    what: `an unknown field ${name}`,
    value: { ...right, [name]: 1 },
  }));
  return [...fields, ...unknown];
}

function ofArray(schema: Schema, right: unknown[]): Mutant[] {
  const [first] = right;
  const items = schema.items ? mutate(schema.items, first) : [];
  const wrong = items.map(({ what, value }) => ({ what: `[0] ${what}`, value: [value] }));
  const twice = { what: 'holds the same twice', value: [first, first] };
  const { minItems = 0, maxItems } = schema;
  return [
    ...wrong,
    ...(first === undefined ? [] : [twice]),
    ...(minItems > 0 ? [{ what: 'is empty', value: [] }] : []),
    ...(maxItems === undefined
      ? []
      : [{ what: 'is too long', value: Array.from({ length: maxItems + 1 }, () => first) }]),
  ];
}

function ofString({ minLength = 0, maxLength, pattern, format, enum: allowed }: Schema): Mutant[] {
  const isFree = pattern === undefined && format === undefined && allowed === undefined;
  const long = maxLength ?? (isFree ? undefined : 5_000);
  return [
    ...(minLength > 0 || !isFree ? [{ what: 'is empty', value: '' }] : []),
    ...(long === undefined ? [] : [{ what: 'is too long', value: 'x'.repeat(long + 1) }]),
    ...(isFree ? [] : attacks.filter((text) => !matches(text, pattern)).map(attack)),
  ];
}

const attack = (text: string): Mutant => ({ what: `is ${JSON.stringify(text)}`, value: text });

function matches(text: string, pattern: string | undefined): boolean {
  return pattern !== undefined && new RegExp(pattern, 'u').test(text);
}

function ofNumber({ type, minimum, maximum }: Schema): Mutant[] {
  const values = [
    ...(type === 'integer' ? [1.5, 1e300] : []),
    ...(minimum === undefined ? [] : [minimum - 1, minimum - 1e9]),
    ...(maximum === undefined ? [] : [maximum + 1, maximum * 1e9]),
  ];
  return values.map((value) => ({ what: `is ${value}`, value }));
}

/** Bodies that are no good whatever the route wants. @param right JSON text of a right body */
export function wrongBodies(right: string): { what: string; body: string | Uint8Array }[] {
  const inside = right.replace(/^\{/, '');
  const comma = inside === '}' ? '' : ',';
  return [
    { what: 'nothing', body: '' },
    { what: 'a broken end', body: right.slice(0, -1) },
    { what: 'a trailing comma', body: `${right.slice(0, -1)},}` },
    { what: 'two documents', body: `${right}${right}` },
    { what: 'single quotes', body: right.replaceAll('"', "'") || "'" },
    { what: 'a comment', body: `/* hello */ ${right}` },
    { what: 'plain text', body: 'hello' },
    { what: 'XML', body: '<order><item>water</item></order>' },
    { what: 'a form', body: 'lines=water&quantity=1' },
    { what: 'NaN', body: 'NaN' },
    { what: 'NaN inside', body: `{"surprise":NaN${comma}${inside}` },
    { what: 'Infinity inside', body: `{"surprise":-Infinity${comma}${inside}` },
    { what: 'a number beyond all', body: `{"surprise":1e999${comma}${inside}` },
    { what: '__proto__', body: `{"__proto__":{"role":"admin"}${comma}${inside}` },
    {
      what: 'constructor.prototype',
      body: `{"constructor":{"prototype":{"role":"admin"}}${comma}${inside}`,
    },
    { what: '10,000 arrays deep', body: `${'['.repeat(10_000)}${']'.repeat(10_000)}` },
    {
      what: '5,000 objects deep',
      body: `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    },
    {
      what: 'bad UTF-8',
      body: Uint8Array.of(0x7b, 0x22, 0xff, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d),
    },
    { what: 'UTF-16', body: new Uint8Array(Buffer.from(right, 'utf16le')) },
    { what: 'zero bytes', body: new Uint8Array(100) },
    { what: 'just over 64 kB', body: `{"surprise":"${'x'.repeat(65_536)}"}` },
    { what: '5 MB', body: `{"surprise":"${'x'.repeat(5_000_000)}"}` },
    { what: '4,000 fields', body: `{${manyFields(4_000)}}` },
  ];
}

const manyFields = (count: number): string =>
  Array.from({ length: count }, (_, index) => `"field${index}":1`).join(',');
