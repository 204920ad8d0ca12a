import {
  isTraceKept,
  newTraceId,
  orderIdOfTrace,
  type Route,
  traceIdOfOrder,
} from '@rushlight/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { realEnvironment } from '../src/environment.ts';
import { seededRandom } from '../src/seeded-random.ts';
import { createSampler } from '../src/tracing/sampler.ts';
import { currentSpan, type FinishedSpan, inSpan, Span } from '../src/tracing/span.ts';
import { formatTraceparent, parseTraceparent, rootSpanId } from '../src/tracing/trace-context.ts';
import { createTracer } from '../src/tracing/tracer.ts';

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

const orderOf = (kept: boolean) =>
  orderIdOfTrace(newTraceId(realEnvironment.newId(), kept), realEnvironment.newId());

describe('the trace of an order', () => {
  test('follows from its id, and the id says whether it is kept', () => {
    const v7 = fc.uuid({ version: 7 });
    fc.assert(
      fc.property(v7, v7, fc.boolean(), (one, other, kept) => {
        const traceId = newTraceId(one, kept);
        const orderId = orderIdOfTrace(traceId, other);
        expect(z.uuid({ version: 'v7' }).safeParse(orderId).success).toBe(true);
        expect(traceIdOfOrder(orderId)).toBe(traceId);
        expect(isTraceKept(traceId)).toBe(kept);
        expect(isTraceKept(orderId)).toBe(kept);
        // The time is that of whoever accepted it.
        expect(orderId.slice(0, 13)).toBe(other.slice(0, 13));
        expect(parseTraceparent(`00-${traceId}-${rootSpanId(traceId)}-01`)?.traceId).toBe(traceId);
      }),
    );
  });

  test('ids that say so are still unlike each other', () => {
    const ids = Array.from({ length: 20_000 }, (_, nth) => orderOf(nth % 2 === 0));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** Spans that were kept of what a test did. */
function traced(keptPerS = 0) {
  const at = { ms: 0 };
  const kept: FinishedSpan[] = [];
  const { newId } = realEnvironment;
  const env = {
    ...{ monotonicMs: () => at.ms, nowMs: () => 1_000_000 + at.ms, newId },
    random: () => 0.5,
  };
  const tracer = createTracer({ sink: { add: (span) => kept.push(span) }, env, keptPerS });
  const named = (name: string) => kept.filter((span) => span.name === name);
  return { at, kept, named, tracer };
}

/** The names above it, up to the root of its trace. */
function wayUp(kept: readonly FinishedSpan[], span: FinishedSpan | undefined): string[] {
  if (!span) return ['a span that is missing'];
  if (span.parentSpanId === undefined) return [span.name];
  const above = kept.find(
    ({ context }) =>
      context.traceId === span.context.traceId && context.spanId === span.parentSpanId,
  );
  return [span.name, ...wayUp(kept, above)];
}

describe('a span', () => {
  test('is forgotten when it is ordinary, and kept when it is sampled, failed or slow', () => {
    const { at, kept, tracer } = traced();
    tracer.begin({ name: 'ordinary' }).end();
    tracer.begin({ name: 'sampled', kept: true }).end();
    const failed = tracer.begin({ name: 'failed' });
    failed.fail('no_answer', 'nobody answered');
    failed.end();
    const slow = tracer.begin({ name: 'slow' });
    at.ms += 1_000;
    slow.end();
    slow.end();
    expect(kept.map(({ name }) => name)).toEqual(['sampled', 'failed', 'slow']);
    expect(kept[1]).toMatchObject({
      failure: 'nobody answered',
      attributes: { 'error.type': 'no_answer' },
    });
    expect(kept[2]).toMatchObject({ startMs: 1_000_000, durationMs: 1_000 });
  });

  test('is thinned out when very many fail', () => {
    const { at, kept, tracer } = traced();
    for (let nth = 0; nth < 50_000; nth++) {
      at.ms = nth / 5;
      const span = tracer.begin({ name: 'failed' });
      span.fail('busy');
      span.end();
    }
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length).toBeLessThanOrEqual(200 * 10);
  });

  test('is found by the work that runs in it, also after it waited', async () => {
    const { kept, tracer } = traced();
    const outer = tracer.begin({ name: 'outer', kept: true });
    await inSpan(outer, async () => {
      await Promise.resolve();
      currentSpan()?.child({ name: 'inner' }).end();
    });
    outer.end();
    expect(wayUp(kept, kept[0])).toEqual(['inner', 'outer']);
    expect(currentSpan()).toBeUndefined();
  });

  test('has no more links than a reader can take', () => {
    const { kept, tracer } = traced();
    const links = Array.from({ length: 1_000 }, () => ({
      ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
    }));
    tracer.begin({ name: 'batch', kept: true, links }).end();
    expect(kept[0]?.links).toHaveLength(128);
  });
});

describe('a batch', () => {
  test('stands in its own trace and in each kept one, with links both ways', () => {
    const { kept, named, tracer } = traced();
    const requests = [true, false, true].map((isKept) =>
      tracer.begin({ name: 'request', kept: isKept }),
    );
    const batch = Span.joining(requests, 'batch', {});
    batch.child({ name: 'call' }).end();
    batch.end();
    for (const request of requests) request.end();
    const [own, ...copies] = named('batch');
    expect(named('request')).toHaveLength(2);
    expect(copies.map(({ context }) => context.traceId)).toEqual([
      requests[0]?.traceId,
      requests[2]?.traceId,
    ]);
    for (const copy of copies) expect(wayUp(kept, copy)).toEqual(['batch', 'request']);
    expect(own?.links).toEqual(copies.map(({ context }) => context));
    for (const copy of copies) expect(copy.links).toEqual([own?.context]);
    for (const request of named('request')) expect(request.links).toEqual([own?.context]);
    const calls = named('call').map((call) => wayUp(kept, call));
    expect(calls).toEqual([
      ['call', 'batch'],
      ['call', 'batch', 'request'],
      ['call', 'batch', 'request'],
    ]);
  });

  test('that failed is linked to those that waited for it, kept or not', () => {
    const { kept, tracer } = traced();
    const request = tracer.begin({ name: 'request' });
    const batch = Span.joining([request], 'batch', {});
    batch.fail('down');
    batch.end();
    request.fail('down');
    request.end();
    expect(kept.map(({ name }) => name)).toEqual(['batch', 'request']);
    expect(kept[0]?.links).toEqual([kept[1]?.context]);
    expect(kept[1]?.links).toEqual([kept[0]?.context]);
  });

  test('goes on in another process by a header and the ids of orders', () => {
    const { kept, named, tracer } = traced(10);
    const route = { method: 'POST', path: '/a', priority: 'checkout' } as Route;
    const request = tracer.beginRequest(route, '', 'stranger');
    const orderId = orderIdOfTrace(request.traceId, realEnvironment.newId());
    const call = Span.joining([request], 'batch', {}).child({ name: 'call' });
    const served = tracer.beginRequest(route, formatTraceparent(call), 'ours');
    served.adopt([{ orderId }, { orderId: orderOf(false) }, { itemId: 'soup' }], served.parent);
    for (const span of [served, call, request]) span.end();
    expect(request.sampled).toBe(true);
    const inTrace = named('POST /a').filter(({ context }) => context.traceId === request.traceId);
    expect(inTrace).toHaveLength(2);
    expect(wayUp(kept, inTrace[0]).slice(0, 2)).toEqual(['POST /a', 'call']);
  });

  test('of work that nobody asked for stands below the root of the order', () => {
    const { kept, tracer } = traced();
    const orderId = orderOf(true);
    const span = tracer.begin({ name: 'sweep' });
    span.adopt([{ orderId }]);
    span.end();
    const traceId = traceIdOfOrder(orderId);
    expect(kept.find(({ context }) => context.traceId === traceId)).toMatchObject({
      parentSpanId: rootSpanId(traceId),
    });
  });
});

test('a stranger may not decide what we keep: its trace is linked', () => {
  const { kept, tracer } = traced(0);
  const route = { method: 'GET', path: '/a', priority: 'read' } as Route;
  const theirs = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const span = tracer.beginRequest(route, theirs, 'stranger');
  expect(span.sampled).toBe(false);
  span.fail('500');
  span.end();
  expect(kept[0]?.parentSpanId).toBeUndefined();
  expect(kept[0]?.links).toEqual([parseTraceparent(theirs)]);
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
