// What stands at `/metrics`, read: Prometheus text 0.0.4 and OpenMetrics 1.0, with exemplars.
//
// P1. A text is read whole or not at all: half of it would look like a fall in every sum.
// P2. Types and help are skipped; every line with a value is a sample.
// P3. Of a series that comes twice the first one counts, as with Prometheus.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md

import type { Labels } from '../model.ts';

export type ExpositionFormat = 'prometheus' | 'openmetrics';

export type ExposedSample = {
  name: string;
  labels: Labels;
  value: number;
  /** When the line says so itself. */
  atMs?: number;
  exemplar?: { labels: Labels; value: number; atMs?: number };
};

/** The sentence names the line. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
}

/** @throws ExpositionError */
export function parseExposition(text: string, format: ExpositionFormat): ExposedSample[] {
  const samples: ExposedSample[] = [];
  const seen = new Set<string>();
  let ended = false;
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    if (line === '' || line === '\r') continue;
    if (ended) throw new ExpositionError(`Line ${number} stands after "# EOF".`);
    if (line.startsWith('#')) {
      ended = format === 'openmetrics' && line === '# EOF';
      continue;
    }
    const { key, sample } = new LineReader(line, number, format).read();
    if (seen.has(key)) continue;
    seen.add(key);
    samples.push(sample);
  }
  if (format === 'openmetrics' && !ended) {
    throw new ExpositionError(`It ends at line ${number} without "# EOF": a part is missing.`);
  }
  return samples;
}

/** A series in one text, whatever the order of its labels. */
export function seriesKey(name: string, labels: Labels): string {
  let key = name;
  for (const label of Object.keys(labels).sort()) key += `\u0000${label}\u0001${labels[label]}`;
  return key;
}

const namePattern = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelPattern = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const blankPattern = /[ \t]*/y;
const wordPattern = /[^ \t\r]+/y;
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

class LineReader {
  readonly #line: string;
  readonly #number: number;
  readonly #format: ExpositionFormat;
  #at = 0;

  constructor(line: string, number: number, format: ExpositionFormat) {
    this.#line = line;
    this.#number = number;
    this.#format = format;
  }

  read(): { key: string; sample: ExposedSample } {
    this.#blank();
    let name = this.#match(namePattern) ?? '';
    this.#blank();
    const { quotedName, labels } = this.#next() === '{' ? this.#braces() : { labels: {} };
    if (quotedName !== undefined && name === '') name = quotedName;
    if (name === '') throw this.#wrong('it must begin with the name of a metric');
    this.#blank();
    const value = this.#value();
    this.#blank();
    const atMs = this.#instant();
    this.#blank();
    const exemplar = this.#format === 'openmetrics' ? this.#exemplar() : undefined;
    if (this.#match(wordPattern) !== undefined) throw this.#wrong('there is more than a value');
    const sample = {
      ...{ name, labels, value },
      ...(atMs === undefined ? {} : { atMs }),
      ...(exemplar === undefined ? {} : { exemplar }),
    };
    return { key: seriesKey(name, labels), sample };
  }

  #braces(): { quotedName?: string; labels: Labels } {
    this.#at += 1;
    const labels: Record<string, string> = {};
    let quotedName: string | undefined;
    for (;;) {
      this.#blank();
      if (this.#take('}')) break;
      const isQuoted = this.#next() === '"';
      const label = isQuoted ? this.#quoted() : this.#match(labelPattern);
      if (label === undefined) throw this.#wrong(`column ${this.#at + 1} must begin a label`);
      this.#blank();
      if (this.#take('=')) {
        this.#blank();
        if (this.#next() !== '"') throw this.#wrong(`the value of ${label} must stand in quotes`);
        Object.defineProperty(labels, label, { value: this.#quoted(), ...plain });
      } else if (isQuoted && quotedName === undefined) {
        quotedName = label;
      } else {
        throw this.#wrong(`the label ${label} has no value`);
      }
      this.#blank();
      if (this.#take(',')) continue;
      if (this.#next() !== '}') throw this.#wrong('labels must be parted by commas, up to a "}"');
    }
    return quotedName === undefined ? { labels } : { quotedName, labels };
  }

  /** With the escapes `\\`, `\"` and `\n`. */
  #quoted(): string {
    const start = this.#at + 1;
    let text = '';
    let from = start;
    for (let at = start; at < this.#line.length; at += 1) {
      const char = this.#line[at];
      if (char === '"') {
        this.#at = at + 1;
        return text + this.#line.slice(from, at);
      }
      if (char !== '\\') continue;
      const escaped = this.#line[at + 1];
      text += this.#line.slice(from, at) + (escaped === 'n' ? '\n' : (escaped ?? ''));
      at += 1;
      from = at + 1;
    }
    throw this.#wrong('a quote is not closed');
  }

  #value(): number {
    const word = this.#match(wordPattern);
    const value = word === undefined ? undefined : numberOf(word);
    if (value === undefined) throw this.#wrong(`"${word ?? ''}" is no value`);
    return value;
  }

  /** Milliseconds in Prometheus text, seconds in OpenMetrics. */
  #instant(): number | undefined {
    if (this.#next() === '#') return undefined;
    const word = this.#match(wordPattern);
    if (word === undefined) return undefined;
    const given = numberOf(word);
    if (given === undefined || !Number.isFinite(given)) {
      throw this.#wrong(`"${word}" is no instant`);
    }
    return Math.floor(this.#format === 'openmetrics' ? given * 1_000 : given);
  }

  #exemplar(): ExposedSample['exemplar'] {
    if (!this.#take('#')) return undefined;
    this.#blank();
    if (this.#next() !== '{') throw this.#wrong('an exemplar must begin with its labels');
    const { labels } = this.#braces();
    this.#blank();
    const value = this.#value();
    this.#blank();
    const atMs = this.#instant();
    return { labels, value, ...(atMs === undefined ? {} : { atMs }) };
  }

  #next(): string | undefined {
    return this.#line[this.#at];
  }

  #take(char: string): boolean {
    if (this.#line[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #blank(): void {
    blankPattern.lastIndex = this.#at;
    blankPattern.test(this.#line);
    this.#at = blankPattern.lastIndex;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #wrong(rule: string): ExpositionError {
    const shown = this.#line.length > 80 ? `${this.#line.slice(0, 80)}…` : this.#line;
    return new ExpositionError(`Line ${this.#number}: ${rule} (${shown}).`);
  }
}

const plain = { enumerable: true, writable: true, configurable: true } as const;

/** As Go reads numbers, as far as they are written by anyone. */
function numberOf(word: string): number | undefined {
  if (decimal.test(word)) return Number(word);
  switch (word.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return hexadecimal(word);
  }
}

const hexPattern = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d{1,4}))?$/i;

/** Like 0x1p4, which is 1 times 2 to the power of 4; the power may be missing where no "." is. */
function hexadecimal(word: string): number | undefined {
  const [, sign, whole = '', fraction = '', power] = hexPattern.exec(word) ?? [];
  if (whole + fraction === '' || (power === undefined && word.includes('.'))) return undefined;
  const digits = Number(`0x${whole}${fraction}`);
  return (sign === '-' ? -1 : 1) * digits * 2 ** (Number(power ?? 0) - 4 * fraction.length);
}
