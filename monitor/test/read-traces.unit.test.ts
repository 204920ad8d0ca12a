import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Span } from '../src/model.ts';
import { criticalPathOf } from '../src/read/critical-path.ts';
import { serviceMapOf } from '../src/read/service-map.ts';
import { treeOf } from '../src/read/trace-tree.ts';
import { waterfallOf } from '../src/read/waterfall.ts';
import { anySpans, link, span, spanIdOf, traceId } from './made-spans.ts';

const nameOf = (spanId: string | undefined): string =>
  spanId === undefined ? 'wait' : String(Number.parseInt(spanId, 16) - 1);
const pathOf = (spans: readonly Span[]): string[] =>
  (waterfallOf(spans)?.criticalPath ?? []).map(
    ({ spanId, offsetUs, durationUs }) => `${nameOf(spanId)}: ${offsetUs}-${offsetUs + durationUs}`,
  );

test('rows come parents first, with depth, offset and the time of their own', () => {
  const spans = [
    span({ id: 2, parent: 1, startUs: 120, endUs: 150 }),
    span({ id: 3, parent: 1, startUs: 140, endUs: 170 }),
    span({ id: 0, startUs: 100, endUs: 200 }),
    span({ id: 1, parent: 0, startUs: 110, endUs: 190 }),
  ];
  const shown = waterfallOf(spans);
  expect(
    shown?.rows.map((row) => [
      nameOf(row.span.spanId),
      row.depth,
      row.offsetUs,
      row.selfUs,
      row.orphaned,
    ]),
  ).toEqual([
    ['0', 0, 0, 20, false],
    ['1', 1, 10, 30, false],
    ['2', 2, 20, 30, false],
    ['3', 2, 40, 30, false],
  ]);
  expect(shown).toMatchObject({ traceId, startUs: 100, durationUs: 100, incomplete: false });
});

test('a span whose parent never came is orphaned, and the trace incomplete', () => {
  const spans = [
    span({ id: 0, startUs: 0, endUs: 100 }),
    span({ id: 5, parent: 4, startUs: 50, endUs: 80 }),
  ];
  const shown = waterfallOf(spans);
  expect(shown?.incomplete).toBe(true);
  expect(shown?.rows.map(({ depth, orphaned }) => [depth, orphaned])).toEqual([
    [0, false],
    [0, true],
  ]);
});

test('no spans are no trace', () => {
  expect(waterfallOf([])).toBeUndefined();
});

test('a server whose clock is ahead is shown within the call that reached it', () => {
  const spans = [
    span({ id: 0, service: 'gateway', kind: 'client', startUs: 0, endUs: 100 }),
    span({ id: 1, parent: 0, kind: 'server', startUs: 5_000, endUs: 5_060 }),
    span({ id: 2, parent: 1, startUs: 5_010, endUs: 5_030 }),
  ];
  const shown = waterfallOf(spans);
  expect(shown?.rows.map(({ offsetUs, skewUs }) => [offsetUs, skewUs])).toEqual([
    [0, 0],
    [20, -4_980],
    [30, -4_980],
  ]);
  expect(shown?.durationUs).toBe(100);
});

test('whatever is sent, each span stands in the tree once, parents first, durations as sent', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const tree = treeOf(spans);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(new Set(tree?.nodes.map((node) => node.span.spanId) ?? [])).toEqual(ids);
      expect(tree?.nodes.length ?? 0).toBe(ids.size);
      const seen = new Set<object>();
      for (const node of tree?.nodes ?? []) {
        if (node.parent) expect(seen.has(node.parent)).toBe(true);
        seen.add(node);
        expect(node.endUs - node.startUs).toBe(node.span.durationUs);
        expect(node.depth).toBe(node.parent ? node.parent.depth + 1 : 0);
        const isRoot = node.span.parentSpanId === undefined;
        if (node.parent === undefined) expect(node.orphaned).toBe(!isRoot);
      }
      const orphans = tree?.nodes.some(({ orphaned }) => orphaned) ?? false;
      expect(tree?.incomplete ?? false).toBe(orphans);
    }),
  );
});

test('of concurrent children the one that ended last is on the path', () => {
  // 0 calls 1, then 2 and 3 beside each other, and waits for both.
  const spans = [
    span({ id: 0, startUs: 0, endUs: 100 }),
    span({ id: 1, parent: 0, startUs: 10, endUs: 30 }),
    span({ id: 2, parent: 0, startUs: 40, endUs: 90 }),
    span({ id: 3, parent: 0, startUs: 35, endUs: 60 }),
  ];
  expect(pathOf(spans)).toEqual(['0: 0-10', '1: 10-30', '0: 30-40', '2: 40-90', '0: 90-100']);
});

test('the path of an order goes on through messages, and says how long they waited', () => {
  const spans = [
    span({ id: 0, service: 'gateway', kind: 'server', startUs: 0, endUs: 20 }),
    span({ id: 1, parent: 0, kind: 'server', startUs: 5, endUs: 18 }),
    span({ id: 2, parent: 1, service: 'payments', kind: 'consumer', startUs: 15, endUs: 60 }),
    span({ id: 3, parent: 2, service: 'kitchen', kind: 'consumer', startUs: 75, endUs: 100 }),
  ];
  expect(pathOf(spans)).toEqual(['0: 0-5', '1: 5-15', '2: 15-60', 'wait: 60-75', '3: 75-100']);
});

test('whatever is sent, the path ascends without a hole from its root to the last end', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const tree = treeOf(spans);
      if (tree === undefined) return;
      const path = criticalPathOf(tree);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      let at = tree.roots[0]?.startUs;
      for (const { spanId, startUs, endUs } of path) {
        expect(startUs).toBe(at);
        expect(endUs).toBeGreaterThan(startUs);
        if (spanId !== undefined) expect(ids.has(spanId)).toBe(true);
        at = endUs;
      }
      expect(at).toBeLessThanOrEqual(tree.endUs);
      const shown = waterfallOf(spans);
      for (const row of shown?.rows ?? []) {
        expect(row.selfUs).toBeGreaterThanOrEqual(0);
        expect(row.selfUs).toBeLessThanOrEqual(row.span.durationUs);
        expect(row.criticalUs).toBeLessThanOrEqual(row.span.durationUs);
      }
    }),
  );
});

test('where children lie within their parents, the path covers the whole trace', () => {
  const nested = fc
    .array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 15 })
    .map((draws) => {
      const spans = [span({ id: 0, startUs: 0, endUs: 10_000 })];
      draws.forEach(([of, from, length], at) => {
        const above = spans[of % spans.length];
        if (above === undefined) return;
        const startUs = above.startUs + Math.floor((above.durationUs * from) / 101);
        const leftUs = above.startUs + above.durationUs - startUs;
        const endUs = startUs + Math.floor((leftUs * length) / 100);
        const parent = Number(nameOf(above.spanId));
        spans.push(span({ id: at + 1, parent, startUs, endUs }));
      });
      return spans;
    });
  fc.assert(
    fc.property(nested, (spans) => {
      const shown = waterfallOf(spans);
      const sum = shown?.criticalPath.reduce((all, { durationUs }) => all + durationUs, 0);
      expect(sum).toBe(10_000);
      const ofRows = shown?.rows.reduce((all, { criticalUs }) => all + criticalUs, 0);
      expect(ofRows).toBe(10_000);
      // Nobody can gain more than by its own work.
      for (const row of shown?.rows ?? []) {
        const children = shown?.rows.some(({ span: one }) => one.parentSpanId === row.span.spanId);
        if (!children) expect(row.criticalUs).toBeLessThanOrEqual(row.selfUs);
      }
    }),
  );
});

test('a batch that is linked with an order is shown beside it, whoever holds the link', () => {
  const batchTrace = 'b'.repeat(32);
  const order = span({ id: 0, startUs: 0, endUs: 10, links: [link(7, batchTrace)] });
  const inner = span({ id: 1, parent: 0, startUs: 2, endUs: 8 });
  const batch = span({ id: 7, startUs: 1, endUs: 9, links: [link(1)], traceId: batchTrace });
  const other = span({ id: 8, startUs: 1, endUs: 9, traceId: 'c'.repeat(32) });
  const shown = waterfallOf([order, inner], [other, batch]);
  expect(shown?.linked).toEqual([{ span: batch, spanIds: [spanIdOf(1), spanIdOf(0)] }]);
});

test('work that stands below a span of another service, and serves nobody, is no call', () => {
  const spans = [
    span({ id: 0, service: 'gateway', kind: 'server', startUs: 0, endUs: 20 }),
    span({ id: 1, parent: 0, service: 'kitchen', kind: 'internal', startUs: 30, endUs: 40 }),
  ];
  expect(serviceMapOf(spans, 10).edges).toEqual([]);
});

test('the map has calls, messages, links and databases as edges', () => {
  const spans = [
    span({ id: 0, service: 'gateway', kind: 'server', startUs: 0, endUs: 20_000 }),
    span({ id: 1, parent: 0, service: 'gateway', kind: 'client', startUs: 1, endUs: 19_000 }),
    span({ id: 2, parent: 1, kind: 'server', startUs: 2, endUs: 10_002, status: 'error' }),
    span({
      ...{ id: 3, parent: 2, kind: 'client', startUs: 3, endUs: 2_003 },
      attributes: { 'db.system.name': 'postgresql' },
    }),
    span({ id: 4, parent: 2, kind: 'producer', startUs: 4, endUs: 5 }),
    span({ id: 5, parent: 4, service: 'kitchen', kind: 'consumer', startUs: 9, endUs: 4_009 }),
    span({ id: 6, service: 'batch', startUs: 30, endUs: 31, links: [link(0)] }),
  ];
  const { nodes, edges } = serviceMapOf(spans, 10);
  expect(nodes.map(({ service, kind, count, errors }) => [service, kind, count, errors])).toEqual([
    ['batch', 'service', 1, 0],
    ['gateway', 'service', 1, 0],
    ['kitchen', 'service', 1, 0],
    ['orders', 'service', 1, 1],
    ['postgresql', 'database', 1, 0],
  ]);
  expect(edges.map(({ from, to, kind }) => `${from} → ${to} ${kind}`)).toEqual([
    'gateway → batch link',
    'gateway → orders call',
    'orders → kitchen message',
    'orders → postgresql call',
  ]);
  expect(nodes.find(({ service }) => service === 'orders')).toMatchObject({
    rate: 0.1,
    errorShare: 1,
    durationMs: { p50: 10, p95: 10, p99: 10 },
  });
});

test('whatever is sent, no edge leads from a service to itself and every end is a node', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const { nodes, edges } = serviceMapOf(spans, 60);
      const names = new Set(nodes.map(({ service }) => service));
      expect(names.size).toBe(nodes.length);
      for (const name of names) expect(spans.map(({ service }) => service)).toContain(name);
      expect(names.size > 0).toBe(spans.length > 0);
      for (const { from, to, count, errors } of edges) {
        expect(from).not.toBe(to);
        expect(names.has(from) && names.has(to)).toBe(true);
        expect(errors).toBeLessThanOrEqual(count);
      }
    }),
  );
});
