// Spans as tests need them: only what matters is said.

import fc from 'fast-check';
import type { Span, SpanKind } from '../src/model.ts';
import { spanKinds } from '../src/model.ts';

export const traceId = 'a'.repeat(32);

export type SpanIdea = Partial<Omit<Span, 'spanId' | 'parentSpanId'>> & {
  id: number;
  parent?: number;
  startUs: number;
  endUs: number;
};

export const spanIdOf = (id: number): string => (id + 1).toString(16).padStart(16, '0');

export function span({ id, parent, endUs, ...rest }: SpanIdea): Span {
  return {
    traceId,
    service: 'orders',
    instance: `${rest.service ?? 'orders'}-1`,
    name: `work ${id}`,
    kind: 'internal',
    status: 'unset',
    attributes: {},
    events: [],
    links: [],
    ...rest,
    spanId: spanIdOf(id),
    ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }),
    durationUs: endUs - rest.startUs,
  };
}

export const link = (id: number, ofTrace = traceId) => ({
  traceId: ofTrace,
  spanId: spanIdOf(id),
  attributes: {},
});

const services = ['gateway', 'orders', 'inventory'] as const;

/** Any heap of spans of one trace: with orphans, rings, ends before parents, clocks that differ. */
export const anySpans: fc.Arbitrary<Span[]> = fc.array(
  fc
    .record({
      id: fc.nat(15),
      parent: fc.option(fc.nat(18), { nil: undefined, freq: 6 }),
      startUs: fc.nat(1_000),
      lengthUs: fc.nat(500),
      service: fc.constantFrom(...services),
      kind: fc.constantFrom<SpanKind>(...spanKinds),
      status: fc.constantFrom('unset' as const, 'error' as const),
    })
    .map(({ parent, lengthUs, ...rest }) =>
      span({
        ...rest,
        endUs: rest.startUs + lengthUs,
        ...(parent === undefined ? {} : { parent }),
      }),
    ),
  { maxLength: 20 },
);
