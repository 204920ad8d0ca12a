import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePattern } from '../src/promql/pattern.ts';

describe('a pattern in RE2’s syntax', { timeout: 60_000 }, () => {
  test.each([
    ['orders|payments', ['orders', 'payments'], ['order', 'orderss', '']],
    ['5..', ['500', '503'], ['50', '5000', '5\n0']],
    ['.*', ['', 'a', 'äöü😀'], ['a\nb']],
    ['(?s).*', ['a\nb'], []],
    ['(?i)error', ['error', 'ERROR', 'eRRor'], ['errors']],
    ['[a-c]+[^x]', ['aab', 'cy'], ['a', 'ax']],
    ['a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['(a|b)*c', ['c', 'abbac'], ['abba']],
    ['a*?b+?', ['b', 'aabb'], ['a']],
    ['\\d+\\.\\w\\s', ['12.a '], ['12xa ']],
    ['[[:alpha:]]+[[:^digit:]]', ['ab-'], ['ab1']],
    ['[]a]+', [']a'], ['b']],
    ['\\Qa.b\\E+', ['a.b'], ['aXb']],
    ['\\x41\\x{1F600}', ['A😀'], ['A']],
    ['(?P<name>a)(?:b)(?<other>c)', ['abc'], ['ab']],
    ['^a$', ['a'], ['aa']],
    ['\\bfoo\\b.*', ['foo', 'foo bar'], ['foobar']],
    ['', [''], ['a']],
    ['a|', ['a', ''], ['b']],
    ['.', ['😀'], ['ab']],
  ])('%s', (pattern, yes, no) => {
    const compiled = compilePattern(pattern);
    expect(yes.filter((text) => !compiled.matches(text))).toEqual([]);
    expect(no.filter((text) => compiled.matches(text))).toEqual([]);
  });

  test('is found anywhere in a line', () => {
    expect(compilePattern('time.?out').occursIn('a time-out of 3 s')).toBe(true);
    expect(compilePattern('^time').occursIn('a time-out')).toBe(false);
    expect(compilePattern('(?m)^time').occursIn('a\ntime-out')).toBe(true);
    expect(compilePattern('out$').occursIn('a time-out')).toBe(true);
    expect(compilePattern('\\bout\\b').occursIn('about')).toBe(false);
    expect(compilePattern('').occursIn('')).toBe(true);
  });

  test.each([
    ['(a)\\1', /backreferences/],
    ['a(?=b)', /looking ahead/],
    ['(?<!a)b', /looking ahead or behind/],
    ['a**', /repetition of a repetition/],
    ['*a', /nothing to repeat/],
    ['(a', /not closed/],
    ['a)', /unexpected \)/],
    ['[a', /ends too early/],
    ['[[:constructor:]]', /no class of characters/],
    ['\\pL', /\\p is not supported/],
    ['\\q', /no escape/],
    ['a{2000}', /beyond 1000/],
    ['((a{100}){100})', /come to 10000; 1000 at most/],
    ['((((){1000}){1000}){1000})', /come to 1000000; 1000 at most/],
    ['(?:a|(?:b{20})*){60}', /come to 1200; 1000 at most/],
    [`(${'()'.repeat(60)}){1000}`, /too large/],
    ['(?:abcdefghij){1000}', /too large/],
    ['a'.repeat(5_000), /longer than 4096/],
  ])('%s is refused', (pattern, why) => {
    expect(() => compilePattern(pattern)).toThrow(why);
  });

  test('takes linear time where backtracking would take years', () => {
    const text = 'a'.repeat(20_000);
    expect(compilePattern('(a*)*b').matches(text)).toBe(false);
    expect(compilePattern('(a|aa)+$x').occursIn(text)).toBe(false);
    expect(compilePattern('(.*a){20}').matches(text)).toBe(true);
  });

  test('has an end of its work, on one text and on all of them', () => {
    const costly = '([0-7].{90}!|[1-6].{90}#|[2-9a-f].{900}Z|[02468ace].{900}Y)';
    const hex = (length: number, seed: number): string => {
      let state = seed;
      return Array.from({ length }, () => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return Math.floor(state / 134_217_728).toString(16);
      }).join('');
    };
    expect(() => compilePattern(costly).occursIn(hex(200_000, 1))).toThrow(/too many steps/);
    const labels = compilePattern(`.*${costly}`);
    const all = (): boolean[] =>
      Array.from({ length: 2_000 }, (_, k) => labels.matches(hex(900, k)));
    expect(all).toThrow(/too many steps/);
  });

  const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '\\n');
  const anyPattern = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      piece,
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
      tie('pattern').map((a) => `(?:${a})*`),
      tie('pattern').map((a) => `(?:${a})?`),
      tie('pattern').map((a) => `(?:${a}){1,2}`),
    ),
  })).pattern;

  test('means what JavaScript means by it, where both know it', () => {
    fc.assert(
      fc.property(
        anyPattern,
        fc.string({ unit: fc.constantFrom('a', 'b', '\n', '-') }),
        (p, text) => {
          const ours = compilePattern(p);
          expect(ours.matches(text)).toBe(new RegExp(`^(?:${p})$`, 'u').test(text));
          expect(ours.occursIn(text)).toBe(new RegExp(p, 'u').test(text));
        },
      ),
      { numRuns: 500 },
    );
  });
});
