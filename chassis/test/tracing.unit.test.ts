import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { realEnvironment } from '../src/environment.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { createSampler } from '../src/tracing/sampler.ts';
import {
  contextOfStep,
  formatTraceparent,
  isKept,
  newOrderId,
  newTrace,
  parseTraceparent,
} from '../src/tracing/trace-context.ts';

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))
    .filter((text) => /[^0]/.test(text));

describe('traceparent', () => {
  test('what is written is read', () => {
    const context = fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() });
    fc.assert(
      fc.property(context, (given) => {
        expect(parseTraceparent(formatTraceparent(given))).toEqual(given);
      }),
    );
  });

  const trace = 'a'.repeat(32);
  const span = 'b'.repeat(16);
  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${trace}-${span}-01`],
    ['capital letters', `00-${trace.toUpperCase()}-${span}-01`],
    ['version 00 with more', `00-${trace}-${span}-01-x`],
    ['a short trace', `00-${trace.slice(1)}-${span}-01`],
    ['a second line', `00-${trace}-${span}-01\n`],
  ])('%s is none', (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test('a later version with more behind it is read as far as it is known', () => {
    const context = parseTraceparent(`01-${trace}-${span}-03-more`);
    expect(context).toEqual({ traceId: trace, spanId: span, sampled: true });
  });
});

describe('the trace of an order', () => {
  test('its id says whether it is kept', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), (uuid, kept) => {
        const id = newOrderId({ newId: () => uuid }, kept);
        expect(isKept(id)).toBe(kept);
        expect(contextOfStep(id, 'orders place').sampled).toBe(kept);
        expect(id).toMatch(/^[0-9a-f-]{36}$/);
      }),
    );
  });

  test('ids that say so are still unlike each other', () => {
    const ids = Array.from({ length: 20_000 }, (_, nth) =>
      newOrderId(realEnvironment, nth % 2 === 0),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a step has one span id, another step another', () => {
    const id = newOrderId(realEnvironment, true);
    const place = contextOfStep(id, 'orders place');
    expect(contextOfStep(id, 'orders place')).toEqual(place);
    expect(contextOfStep(id, 'inventory reserve').spanId).not.toBe(place.spanId);
    expect(place.traceId).toBe(id.replaceAll('-', ''));
    expect(parseTraceparent(formatTraceparent(place))).toEqual(place);
  });

  test('a trace that begins elsewhere has ids that can be sent', () => {
    const context = newTrace(realEnvironment, false);
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
  });
});

describe('the sampler', () => {
  const run = (seed: number, ratePerS: (second: number) => number, seconds: number) => {
    const at = { ms: 0 };
    const sampler = createSampler(50, { monotonicMs: () => at.ms, random: seededRandom(seed) });
    const kept: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const rate = ratePerS(second);
      let count = 0;
      for (let nth = 0; nth < rate; nth++) {
        at.ms = second * 1_000 + (nth / rate) * 1_000;
        if (sampler.decide()) count += 1;
      }
      kept.push(count);
    }
    return kept;
  };
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });

  test('a quiet hour is kept whole', () => {
    expect(run(1, () => 40, 20)).toEqual(Array(20).fill(40));
  });

  test('never more than twice as many in a second, whatever comes', () => {
    const rates = fc.array(fc.nat({ max: 5_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(seeds, rates, (seed, given) => {
        const kept = run(seed, (second) => given[second] ?? 0, given.length);
        expect(Math.max(...kept)).toBeLessThanOrEqual(100);
      }),
      { numRuns: 50 },
    );
  });

  test('a steady rush is kept at about the wanted rate', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 500, max: 4_000 }), (seed, rate) => {
        const later = run(seed, () => rate, 30).slice(10);
        const mean = later.reduce((sum, count) => sum + count, 0) / later.length;
        expect(mean).toBeGreaterThan(35);
        expect(mean).toBeLessThan(65);
      }),
      { numRuns: 20 },
    );
  });

  test('after a rush everything is kept again within seconds', () => {
    const kept = run(7, (second) => (second < 5 ? 4_000 : 40), 25);
    expect(kept.slice(15)).toEqual(Array(10).fill(40));
  });
});
