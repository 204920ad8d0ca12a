// Strings, numbers and durations as PromQL and LogQL write them.

import { QueryError } from './errors.ts';

const msOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/**
 * `1h30m` in ms: whole numbers, each unit at most once and the longest first. Undefined where the
 * text is no duration.
 */
export function parseDurationMs(text: string): number | undefined {
  const form = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;
  if (text === '' || !form.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    ms += Number(count) * (msOf[unit ?? ''] ?? 0);
  }
  return ms;
}

/** `1e3`, `0x1F`, `017` (octal, as in Go), `Inf`, `NaN`, each with a sign. Undefined where it is none. */
export function parseNumber(text: string): number | undefined {
  const [, sign, digits] = /^\s*([+-]?)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (digits === undefined || digits === '') return undefined;
  const size = parseSize(digits);
  if (size === undefined) return undefined;
  return sign === '-' ? -size : size;
}

function parseSize(digits: string): number | undefined {
  if (/^inf(inity)?$/i.test(digits)) return Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(digits)) return Number.NaN;
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  if (!/^(0x[0-9a-f]+|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/i.test(digits)) return undefined;
  return Number(digits);
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * What a quoted string says: Go's escapes between " or ', everything as it stands between backticks.
 *
 * @throws QueryError when it does not end, or an escape is unknown
 */
export function unquote(text: string, position: number): string {
  const quote = text[0] ?? '';
  if (text.length < 2 || text.at(-1) !== quote || !`"'\``.includes(quote)) {
    throw new QueryError('syntax', 'a string is not closed', position);
  }
  const inside = text.slice(1, -1);
  if (quote === '`') return inside;
  if (inside.includes('\n')) {
    throw new QueryError(
      'syntax',
      'a string goes over the end of its line; use backticks',
      position,
    );
  }
  const escapes = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.|$))/gs;
  return inside.replace(escapes, (whole, x, u, long, octal, simple) => {
    const hexadecimal = x ?? u ?? long;
    const known = simple === quote ? quote : simpleEscapes[simple];
    if (known !== undefined) return known;
    const code = Number.parseInt(hexadecimal ?? octal ?? '', hexadecimal === undefined ? 8 : 16);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    throw new QueryError('syntax', `${whole} is no escape; write \\\\ for a backslash`, position);
  });
}
