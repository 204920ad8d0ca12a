// Regular expressions with RE2's meaning, in time that is linear in the text.
//
// A pattern becomes a Thompson automaton; walking it builds a deterministic one as it is needed, and
// forgets it when it grows too large (as RE2 itself does).
//
// P1. A step of the walk costs at most one look at each instruction, whatever the text: there is no
//     backtracking, so no text and no pattern can take exponential time.
// P2. Both automatons are bounded: instructions by a refusal, states by forgetting.
//     So is the work: what forgetting does not spare has an end for each text, and for all of them.
// P3. Text is read by code points. Nothing is captured: a pattern answers yes or no.

import { LimitError } from '../model.ts';
import { QueryError } from './errors.ts';
import {
  type Assertion,
  type CodePoints,
  type PatternNode,
  parsePattern,
} from './pattern-syntax.ts';

export type Pattern = {
  /** The whole text matches: what a matcher of labels asks. */
  matches(text: string): boolean;
  /** A part of the text matches: what a line filter asks. */
  occursIn(text: string): boolean;
};

type Instruction =
  | { kind: 'one'; of: CodePoints; next: number }
  | { kind: 'assert'; assertion: Assertion; next: number }
  | { kind: 'either'; next: number; other: number }
  | { kind: 'match' };

/** What stands beside a place in the text. */
type Neighbour = 'edge' | 'newline' | 'word' | 'other';
type State = {
  places: readonly number[];
  before: Neighbour;
  /** By code point; `accepted` ends a search at once. */
  steps: Map<number, State | 'accepted'>;
  /** The same for ASCII, where nearly all steps are. */
  ascii: (State | 'accepted' | undefined)[];
  endsInMatch?: boolean;
};

const instructionsMax = 5_000;
/** Parts are placed anew in each repetition, also those that need no instruction. */
const placementsMax = 50_000;
const statesMax = 500;
const stepsMax = 20_000;
/**
 * Looks at instructions and ranges of characters that one text, and all texts together, may cost:
 * some 0.3 s; 1 to 2 s for labels, which are matched in one go, and about a minute for lines.
 */
const looksPerTextMax = 5_000_000;
const looksMax = { whole: 25_000_000, part: 1_000_000_000 };

/** @throws QueryError when the pattern cannot be read, or is too large */
export function compilePattern(pattern: string): Pattern {
  const program = assemble(parsePattern(pattern), pattern);
  const whole = new Automaton(program, 'whole', pattern);
  const part = new Automaton(program, 'part', pattern);
  return { matches: (text) => whole.run(text), occursIn: (text) => part.run(text) };
}

function assemble(tree: PatternNode, pattern: string): Instruction[] {
  const program: Instruction[] = [];
  let placements = 0;
  const tooLarge = (): QueryError =>
    new QueryError(
      'unsupported',
      `the pattern ${JSON.stringify(pattern)} is too large; repeat less or choose among fewer`,
    );
  const emit = (instruction: Instruction): number => {
    if (program.length >= instructionsMax) throw tooLarge();
    return program.push(instruction) - 1;
  };
  // Built from the end to the start, so that what comes next is always known.
  const place = (node: PatternNode, next: number): number => {
    if (++placements > placementsMax) throw tooLarge();
    switch (node.kind) {
      case 'one':
        return emit({ kind: 'one', of: node.of, next });
      case 'assert':
        return emit({ kind: 'assert', assertion: node.assertion, next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => place(part, after), next);
      case 'choice':
        return node.parts
          .map((part) => place(part, next))
          .reduceRight((other, start) => emit({ kind: 'either', next: start, other }));
      case 'repeat':
        return placeRepeat(node, next);
    }
  };
  const placeRepeat = (node: PatternNode & { kind: 'repeat' }, next: number): number => {
    let start = next;
    if (node.max === undefined) {
      start = emit({ kind: 'either', next, other: next });
      program[start] = { kind: 'either', next: place(node.part, start), other: next };
    } else {
      for (let more = node.min; more < node.max; more++) {
        start = emit({ kind: 'either', next: place(node.part, start), other: next });
      }
    }
    for (let must = 0; must < node.min; must++) start = place(node.part, start);
    return start;
  };
  const end = emit({ kind: 'match' });
  const start = place(tree, end);
  // The walk starts at the last instruction.
  emit({ kind: 'either', next: start, other: start });
  return program;
}

class Automaton {
  readonly #program: readonly Instruction[];
  readonly #find: 'whole' | 'part';
  readonly #looksAround: boolean;
  readonly #states = new Map<string, State>();
  readonly #pattern: string;
  #stepCount = 0;
  #looks = 0;
  /** Where this text's share of the looks ends. */
  #looksEnd = 0;

  constructor(program: readonly Instruction[], find: 'whole' | 'part', pattern: string) {
    this.#program = program;
    this.#pattern = pattern;
    this.#find = find;
    this.#looksAround = program.some((instruction) => instruction.kind === 'assert');
  }

  /** @throws LimitError when the pattern costs too much */
  run(text: string): boolean {
    this.#looksEnd = Math.min(this.#looks + looksPerTextMax, looksMax[this.#find]);
    let state = this.#state([this.#program.length - 1], 'edge');
    for (let index = 0; index < text.length; ) {
      const code = text.codePointAt(index) ?? 0;
      index += code > 0xffff ? 2 : 1;
      const known = code < 128 ? state.ascii[code] : state.steps.get(code);
      const next = known ?? this.#step(state, code);
      if (next === 'accepted') return true;
      if (next.places.length === 0) return false;
      state = next;
    }
    state.endsInMatch ??= this.#reach(state, 'edge').some((at) => this.#isMatch(at));
    return state.endsInMatch;
  }

  #step(state: State, code: number): State | 'accepted' {
    const reached = this.#reach(state, neighbourOf(code));
    this.#spend(reached);
    const next = new Set<number>();
    let accepted = false;
    for (const at of reached) {
      const instruction = this.#program[at];
      if (instruction?.kind === 'one' && includes(instruction.of, code)) next.add(instruction.next);
      if (instruction?.kind === 'match') accepted = this.#find === 'part';
    }
    // A search may begin anew behind every character.
    if (this.#find === 'part') next.add(this.#program.length - 1);
    const step = accepted ? 'accepted' : this.#state([...next], neighbourOf(code));
    if (code < 128) state.ascii[code] = step;
    else if (this.#stepCount++ < stepsMax) state.steps.set(code, step);
    return step;
  }

  #spend(reached: readonly number[]): void {
    for (const at of reached) {
      const instruction = this.#program[at];
      this.#looks += instruction?.kind === 'one' ? 1 + instruction.of.length : 1;
    }
    if (this.#looks <= this.#looksEnd) return;
    throw new LimitError(
      `the pattern ${JSON.stringify(this.#pattern)} takes too many steps on these texts; ` +
        'repeat less, or choose among fewer',
    );
  }

  #state(places: readonly number[], neighbour: Neighbour): State {
    const before = this.#looksAround ? neighbour : 'other';
    const sorted = [...places].sort((a, b) => a - b);
    const key = `${before} ${sorted.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= statesMax || this.#stepCount >= stepsMax) {
      // What is still held elsewhere lives on until the end of its walk, and is found no more.
      this.#states.clear();
      this.#stepCount = 0;
    }
    const state: State = { places: sorted, before, steps: new Map(), ascii: Array(128) };
    this.#states.set(key, state);
    return state;
  }

  /** All places that can be reached without reading, between what was and what comes. */
  #reach(state: State, after: Neighbour): number[] {
    const seen = new Set<number>(state.places);
    const open = [...state.places];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of this.#onward(at, state.before, after)) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return [...seen];
  }

  #onward(at: number, before: Neighbour, after: Neighbour): readonly number[] {
    const instruction = this.#program[at];
    if (instruction?.kind === 'either') return [instruction.next, instruction.other];
    if (instruction?.kind !== 'assert') return [];
    return holds(instruction.assertion, before, after) ? [instruction.next] : [];
  }

  #isMatch(at: number): boolean {
    return this.#program[at]?.kind === 'match';
  }
}

function holds(assertion: Assertion, before: Neighbour, after: Neighbour): boolean {
  switch (assertion) {
    case 'text-start':
      return before === 'edge';
    case 'text-end':
      return after === 'edge';
    case 'line-start':
      return before === 'edge' || before === 'newline';
    case 'line-end':
      return after === 'edge' || after === 'newline';
    case 'word-edge':
      return (before === 'word') !== (after === 'word');
    case 'no-word-edge':
      return (before === 'word') === (after === 'word');
  }
}

function neighbourOf(code: number): Neighbour {
  if (code === 10) return 'newline';
  const isWord =
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    (code >= 97 && code <= 122);
  return isWord ? 'word' : 'other';
}

function includes(of: CodePoints, code: number): boolean {
  for (const [from, to] of of) if (code >= from && code <= to) return true;
  return false;
}
