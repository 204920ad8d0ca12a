// Reads a regular expression in RE2's syntax into a tree.
//
// What cannot be matched in linear time (backreferences, looking around) is not in RE2 either and is
// refused. Unicode classes (\p), octal escapes and \C are in RE2 and refused here, by name. Whether
// a repetition is lazy changes only what is captured: we capture nothing, so it is read over.

import { QueryError } from './errors.ts';

/** Code points, both ends included. */
export type CodePoints = readonly (readonly [number, number])[];
export type Assertion =
  | 'text-start'
  | 'text-end'
  | 'line-start'
  | 'line-end'
  | 'word-edge'
  | 'no-word-edge';

export type PatternNode =
  | { kind: 'one'; of: CodePoints }
  | { kind: 'assert'; assertion: Assertion }
  | { kind: 'sequence'; parts: PatternNode[] }
  | { kind: 'choice'; parts: PatternNode[] }
  /** Without `max` as often as it likes. */
  | { kind: 'repeat'; part: PatternNode; min: number; max: number | undefined };

const patternLengthMax = 4_096;
const repeatMax = 1_000;
const depthMax = 200;
const last = 0x10ffff;

const digits: CodePoints = [[48, 57]];
const space: CodePoints = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const word: CodePoints = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const classes: Readonly<Record<string, CodePoints>> = { d: digits, s: space, w: word };
const posixClasses: Readonly<Record<string, CodePoints>> = {
  alnum: word.filter(([from]) => from !== 95),
  alpha: [
    [65, 90],
    [97, 122],
  ],
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: digits,
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word,
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};
const escapedControls: Readonly<Record<string, number>> = {
  a: 7,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};
const assertions: Readonly<Record<string, Assertion>> = {
  A: 'text-start',
  z: 'text-end',
  b: 'word-edge',
  B: 'no-word-edge',
};

type Flags = { ignoreCase: boolean; dotAll: boolean; multiline: boolean };

/**
 * @throws QueryError when the pattern is not RE2's, too long, or one of the few things of RE2 that
 *   are not supported
 */
export function parsePattern(pattern: string): PatternNode {
  if (pattern.length > patternLengthMax) {
    throw new QueryError(
      'unsupported',
      `a pattern of ${pattern.length} characters is longer than ${patternLengthMax}; split it`,
    );
  }
  return new PatternParser(pattern).parse();
}

export function complement(of: CodePoints): CodePoints {
  const sorted = [...of].sort(([a], [b]) => a - b);
  const rest: [number, number][] = [];
  let next = 0;
  for (const [from, to] of sorted) {
    if (from > next) rest.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= last) rest.push([next, last]);
  return rest;
}

class PatternParser {
  readonly #pattern: string;
  readonly #points: readonly string[];
  #at = 0;
  #depth = 0;
  readonly #repeatsOf = new Map<PatternNode, number>();
  #flags: Flags = { ignoreCase: false, dotAll: false, multiline: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#points = [...pattern];
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#points.length) this.#fail('unexpected )');
    return node;
  }

  #choice(): PatternNode {
    if (++this.#depth > depthMax) this.#fail(`more than ${depthMax} groups in each other`);
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      const next = this.#points[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', parts };
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeated(atom));
    }
  }

  /** Nothing where the pattern only changed its flags, or quoted an empty text. */
  #atom(): PatternNode | undefined {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'one', of: this.#class() };
      case '.':
        return { kind: 'one', of: this.#flags.dotAll ? [[0, last]] : complement([[10, 10]]) };
      case '^':
        return { kind: 'assert', assertion: this.#flags.multiline ? 'line-start' : 'text-start' };
      case '$':
        return { kind: 'assert', assertion: this.#flags.multiline ? 'line-end' : 'text-end' };
      case '*':
      case '+':
      case '?':
        return this.#fail(`nothing to repeat before ${character}`);
      case '\\':
        return this.#escape();
      default:
        return this.#literal(character);
    }
  }

  #repeated(atom: PatternNode): PatternNode {
    const count = this.#repetition();
    if (count === undefined) return atom;
    this.#take('?');
    if (this.#repetition() !== undefined) this.#fail('a repetition of a repetition');
    if (atom.kind === 'assert') {
      return { kind: 'repeat', part: atom, min: Math.min(count.min, 1), max: 1 };
    }
    const product = Math.max(1, count.max ?? count.min) * this.#repeats(atom);
    if (product > repeatMax) {
      this.#fail(`repetitions within repetitions come to ${product}; ${repeatMax} at most`);
    }
    const node: PatternNode = { kind: 'repeat', part: atom, ...count };
    this.#repeatsOf.set(node, product);
    return node;
  }

  /** How often the innermost part of a node is repeated. */
  #repeats(node: PatternNode): number {
    if (node.kind === 'repeat') return this.#repeatsOf.get(node) ?? 1;
    if (node.kind !== 'sequence' && node.kind !== 'choice') return 1;
    const known = this.#repeatsOf.get(node);
    if (known !== undefined) return known;
    const most = node.parts.reduce((max, part) => Math.max(max, this.#repeats(part)), 1);
    this.#repeatsOf.set(node, most);
    return most;
  }

  #repetition(): { min: number; max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined };
    if (this.#take('+')) return { min: 1, max: undefined };
    if (this.#take('?')) return { min: 0, max: 1 };
    // Braces that do not count are letters.
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#points.slice(this.#at, this.#at + 16).join(''));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    const max = braces[2] === undefined ? min : braces[3] === '' ? undefined : Number(braces[3]);
    if (min > repeatMax || (max !== undefined && (max > repeatMax || max < min))) {
      this.#fail(`${braces[0]} counts down, or beyond ${repeatMax}`);
    }
    return { min, max };
  }

  #group(): PatternNode | undefined {
    const before = this.#flags;
    if (this.#take('?')) {
      const rest = this.#points.slice(this.#at).join('');
      const named = /^P?<[A-Za-z_]\w*>/.exec(rest);
      const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
      if (/^(=|!|<=|<!)/.test(rest)) this.#fail('looking ahead or behind is not in RE2');
      if (named === null && flags === null) this.#fail('this kind of group is not in RE2');
      this.#at += (named ?? flags)?.[0].length ?? 0;
      if (flags !== null) {
        this.#flags = changed(this.#flags, flags[1] ?? '', flags[2] ?? '');
        if (flags[3] === ')') return undefined;
      }
    }
    const node = this.#choice();
    if (!this.#take(')')) this.#fail('a group is not closed');
    this.#flags = before;
    return node;
  }

  #escape(): PatternNode | undefined {
    const character = this.#next();
    if (character === 'Q') return this.#quoted();
    const assertion = assertions[character];
    if (assertion !== undefined) return { kind: 'assert', assertion };
    return { kind: 'one', of: this.#folded(this.#escaped(character)) };
  }

  #quoted(): PatternNode | undefined {
    const parts: PatternNode[] = [];
    while (this.#at < this.#points.length) {
      const character = this.#next();
      if (character === '\\' && this.#take('E')) break;
      parts.push(this.#literal(character));
    }
    return parts.length === 0 ? undefined : { kind: 'sequence', parts };
  }

  /** What an escape outside or inside of a class stands for. */
  #escaped(character: string): CodePoints {
    const lower = character.toLowerCase();
    const known = classes[lower];
    if (known !== undefined) return lower === character ? known : complement(known);
    const control = escapedControls[character];
    if (control !== undefined) return [[control, control]];
    if (character === 'x') return this.#hexadecimal();
    if (/[1-9]/.test(character)) this.#fail(`\\${character}: backreferences are not in RE2`);
    if (/[0-9pPC]/.test(character)) this.#fail(`\\${character} is not supported`);
    if (/[A-Za-z\u0080-\u{10ffff}]/u.test(character)) this.#fail(`\\${character} is no escape`);
    return point(character);
  }

  #hexadecimal(): CodePoints {
    const rest = this.#points.slice(this.#at, this.#at + 10).join('');
    const found = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
    const value = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
    if (found === null || value > last) this.#fail('\\x needs two hexadecimal digits or {…}');
    this.#at += found?.[0].length ?? 0;
    return [[value, value]];
  }

  #class(): CodePoints {
    const negated = this.#take('^');
    const of: (readonly [number, number])[] = [];
    for (let first = true; first || this.#points[this.#at] !== ']'; first = false) {
      of.push(...this.#classPart());
    }
    this.#at++;
    const folded = this.#folded(of);
    return negated ? complement(folded) : folded;
  }

  #classPart(): CodePoints {
    const rest = this.#points.slice(this.#at, this.#at + 32).join('');
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      const name = posix[2] ?? '';
      const known = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined;
      if (known === undefined) return this.#fail(`${posix[0]} is no class of characters`);
      this.#at += posix[0].length;
      return posix[1] === '' ? known : complement(known);
    }
    const low = this.#classPoint();
    const isRange = this.#points[this.#at] === '-' && this.#points[this.#at + 1] !== ']';
    if (!isRange || low.length !== 1) return low;
    this.#at++;
    const high = this.#classPoint();
    const [from, to] = [low[0]?.[0] ?? 0, high[0]?.[1] ?? 0];
    if (high.length !== 1 || to < from) this.#fail('a range of characters runs backwards');
    return [[from, to]];
  }

  #classPoint(): CodePoints {
    const character = this.#next();
    return character === '\\' ? this.#escaped(this.#next()) : point(character);
  }

  #literal(character: string): PatternNode {
    return { kind: 'one', of: this.#folded(point(character)) };
  }

  #folded(of: CodePoints): CodePoints {
    return this.#flags.ignoreCase ? [...of, ...of.flatMap(otherCase)] : of;
  }

  #take(character: string): boolean {
    if (this.#points[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    return this.#points[this.#at++] ?? this.#fail('it ends too early');
  }

  #fail(why: string): never {
    throw new QueryError('syntax', `the pattern ${JSON.stringify(this.#pattern)}: ${why}`);
  }
}

function changed(flags: Flags, on: string, off: string): Flags {
  const now = (letter: string, was: boolean): boolean =>
    !off.includes(letter) && (was || on.includes(letter));
  return {
    ignoreCase: now('i', flags.ignoreCase),
    dotAll: now('s', flags.dotAll),
    multiline: now('m', flags.multiline),
  };
}

function point(character: string): CodePoints {
  const code = character.codePointAt(0) ?? 0;
  return [[code, code]];
}

/** Upper for lower case and the other way round. Wide ranges are folded within ASCII only. */
function otherCase([from, to]: readonly [number, number]): CodePoints {
  const end = to - from > 1_000 ? Math.min(to, 127) : to;
  const found: [number, number][] = [];
  for (let code = from; code <= end; code++) {
    const character = String.fromCodePoint(code);
    for (const other of [character.toLowerCase(), character.toUpperCase()]) {
      const folded = other.codePointAt(0) ?? code;
      if (folded !== code && [...other].length === 1) found.push([folded, folded]);
    }
  }
  return found;
}
