import { describe, expect, test } from 'vitest';
import type { Expression } from '../src/promql/ast.ts';
import { parseDurationMs, parseNumber } from '../src/promql/literals.ts';
import { parsePromql } from '../src/promql/parse.ts';

/** The tree with all its parentheses. */
function shown(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'selector':
      return `${expression.matchers[0]?.value}${expression.offsetMs === 0 ? '' : `@-${expression.offsetMs}`}`;
    case 'range':
      return `${shown(expression.selector)}[${expression.rangeMs}]`;
    case 'over-range':
      return `${expression.function}(${shown(expression.selector)}[${expression.rangeMs}])`;
    case 'call':
      return `${expression.function}(${expression.arguments.map(shown).join(', ')})`;
    case 'aggregation':
      return `${expression.operation} ${expression.by}(${expression.labels})(${shown(expression.of)})`;
    case 'arithmetic':
    case 'comparison':
    case 'set':
      return `(${shown(expression.left)} ${expression.operator} ${shown(expression.right)})`;
    case 'negation':
      return `-(${shown(expression.of)})`;
  }
}

describe('operators are grouped as Prometheus groups them', () => {
  test.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['-2 ^ 2', '-((2 ^ 2))'],
    ['(-2) ^ 2', '(-2 ^ 2)'],
    ['2 ^ -1 * 3', '((2 ^ -1) * 3)'],
    ['-a * b', '(-(a) * b)'],
    ['--1', '1'],
    ['+a', 'a'],
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a > b + 1 and c', '((a > (b + 1)) and c)'],
    ['a == b > c', '((a == b) > c)'],
    ['a + b offset 1m', '(a + b@-60000)'],
    ['a + b offset 1m * c', '(a + (b@-60000 * c))'],
    ['-a offset 1m', '-(a@-60000)'],
    ['a offset -1m', 'a@--60000'],
    ['rate(a[1h30m] offset 5m)', 'rate(a@-300000[5400000])'],
    ['sum(a) by (x, y)', 'sum by(x,y)(a)'],
    ['sum without (x) (a)', 'sum without(x)(a)'],
    ['topk(2, a) # the busiest', 'topk by()(a)'],
    ['sum', 'sum'],
    ['SUM(a)', 'sum by()(a)'],
  ])('%s', (text, expected) => {
    expect(shown(parsePromql(text))).toBe(expected);
  });
});

test('matchers hold what is written, with Go’s escapes', () => {
  const text = 'a{b="x\\n\\"\\u00e9\\x41",c!=\'y\\\'\',d=~`\\d+`,e!~"z",}';
  expect(parsePromql(text)).toEqual({
    kind: 'selector',
    offsetMs: 0,
    matchers: [
      { label: '__name__', operator: '=', value: 'a' },
      { label: 'b', operator: '=', value: 'x\n"éA' },
      { label: 'c', operator: '!=', value: "y'" },
      { label: 'd', operator: '=~', value: '\\d+' },
      { label: 'e', operator: '!~', value: 'z' },
    ],
  });
});

test('matching holds both sides of a many-to-one match', () => {
  expect(parsePromql('a * on (x) group_left (y) b')).toMatchObject({
    matching: { by: 'on', labels: ['x'], cardinality: 'many-to-one', include: ['y'] },
  });
  expect(parsePromql('a * ignoring (x) group_right b')).toMatchObject({
    matching: { by: 'ignoring', labels: ['x'], cardinality: 'one-to-many', include: [] },
  });
});

test.each([
  ['1', 1],
  ['.5', 0.5],
  ['1e-3', 0.001],
  ['0x1F', 31],
  ['017', 15],
  ['09', 9],
  ['Inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
  ['five', undefined],
  ['', undefined],
  ['1s', undefined],
])('the number %s', (text, expected) => {
  expect(parseNumber(text)).toBe(expected);
});

test.each([
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['2w', 1_209_600_000],
  ['1y', 31_536_000_000],
  ['90s', 90_000],
  ['1s500ms', 1_500],
  ['5', undefined],
  ['1m1h', undefined],
  ['1.5h', undefined],
  ['', undefined],
])('the duration %s', (text, expected) => {
  expect(parseDurationMs(text)).toBe(expected);
});

describe('what is not supported is refused by name', () => {
  test.each([
    ['deriv(a[5m])', /the function deriv is not supported; there are abs, absent/],
    ['label_replace(a, "x", "y", "z", "w")', /label_replace/],
    ['predict_linear(a[1h], 3600)', /predict_linear/],
    ['round(a)', /the function round/],
    ['timestamp(a)', /the function timestamp/],
    ['stddev(a)', /the aggregation stddev is not supported; there are sum, avg/],
    ['count_values("x", a)', /the aggregation count_values/],
    ['limitk(2, a)', /the aggregation limitk/],
    ['a atan2 b', /the operator atan2/],
    ['max_over_time(rate(a[5m])[1h:])', /takes a range|subqueries/],
    ['a[1h:5m]', /subqueries/],
    ['a @ 1700000000', /the modifier @/],
    ['a @ start()', /the modifier @/],
    ['a + fill(0) b', /the modifier fill/],
    ['rate(a[5m] smoothed)', /anchored and smoothed/],
    ['{"a.b"}', /names in quotes/],
    ['sum by ("a.b") (a)', /label names in quotes/],
    ['"text"', /a string by itself/],
    ['5m', /5m is no number; write digits alone, and durations in seconds/],
    ['1_000', /1_000 is no number/],
    ['a[300]', /300 is no duration/],
    ['a[5m * 2]', /no duration/],
    ['a[20y]', /longer than ten years/],
    [`a{b="${'x'.repeat(20_000)}"}`, /longer than 16384/],
    [`${'('.repeat(150)}a${')'.repeat(150)}`, /more than 100 expressions/],
    [Array.from({ length: 600 }, () => 'a').join(' + '), /more than 500 operators/],
  ])('%s', (text, why) => {
    expect(() => parsePromql(text)).toThrow(expect.objectContaining({ kind: 'unsupported' }));
    expect(() => parsePromql(text)).toThrow(why);
  });
});

describe('what is wrong is told with its place', () => {
  test.each([
    ['', 0, /empty/],
    ['a +', 3, /ends too early/],
    ['a b', 2, /unexpected b/],
    ['nonsense(a)', 8, /unknown function nonsense; there are/],
    ['rate(a)', 5, /rate takes a range/],
    ['abs(a[5m])', 4, /abs takes an instant vector here; this is a range/],
    ['abs(1)', 4, /this is a number/],
    ['clamp_min(a, b)', 13, /takes a number here; this is an instant vector/],
    ['abs()', 0, /abs takes 1 argument/],
    ['sum(1)', 4, /aggregation sum takes an instant vector/],
    ['topk(a)', 0, /topk takes 2 argument/],
    ['a[5m] + 1', 6, /\+ takes a vector or a number; this is a range/],
    ['rate(a[5m])[5m]', 0, /a range goes with a selector only/],
    ['a offset 1m [5m]', 0, /offset goes behind the range/],
    ['a offset 1m offset 2m', 0, /offset stands twice/],
    ['sum(a) offset 1m', 0, /offset goes with a selector/],
    ['a[0s]', 2, /longer than 0/],
    ['1 > 2', 2, /needs bool/],
    ['a + bool b', 2, /bool goes with comparisons only/],
    ['a and 1', 2, /and takes vectors on both sides/],
    ['a + on (x) 1', 4, /one side is a number/],
    ['a and on (x) group_left b', 13, /and takes no group_left/],
    ['a + on (x) group_left (x) b', 11, /the label x stands both/],
    ['a{__name__="b"}', 0, /stands twice/],
    ['{a=""}', 0, /does not match the empty text/],
    ['{a=~".*"}', 0, /does not match the empty text/],
    ['a{b="x', 6, /ends too early/],
    ['a{b="\\q"}', 4, /no escape/],
  ])('%s', (text, position, why) => {
    expect(() => parsePromql(text)).toThrow(expect.objectContaining({ kind: 'syntax', position }));
    expect(() => parsePromql(text)).toThrow(why);
  });
});
