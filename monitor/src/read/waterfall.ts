// One trace as a page shows it: rows with offsets, the critical path, and the batches beside it.

import type { Span } from '../model.ts';
import { criticalPathOf, type PathSegment } from './critical-path.ts';
import { type TreeNode, treeOf } from './trace-tree.ts';

export type WaterfallRow = {
  span: Span;
  depth: number;
  /** From the start of the trace, corrected for the difference of clocks. */
  offsetUs: number;
  /** The part of its duration that no child covers. */
  selfUs: number;
  /** Its share of the critical path. */
  criticalUs: number;
  skewUs: number;
  orphaned: boolean;
};

export type Waterfall = {
  traceId: string;
  startUs: number;
  durationUs: number;
  /** Spans are missing: what is shown is what arrived. */
  incomplete: boolean;
  errors: number;
  services: string[];
  rows: WaterfallRow[];
  criticalPath: { spanId?: string; offsetUs: number; durationUs: number }[];
  /** Spans of other traces that are linked with this one, a batch for example, by start. */
  linked: { span: Span; spanIds: string[] }[];
};

/**
 * @param spans all of one trace
 * @param others spans of other traces that may be linked with it, either way
 * @returns undefined when there are no spans
 */
export function waterfallOf(
  spans: readonly Span[],
  others: readonly Span[] = [],
): Waterfall | undefined {
  const tree = treeOf(spans);
  if (tree === undefined) return undefined;
  const path = criticalPathOf(tree);
  const criticalUsOf = new Map<string, number>();
  for (const { spanId, startUs, endUs } of path) {
    if (spanId === undefined) continue;
    criticalUsOf.set(spanId, (criticalUsOf.get(spanId) ?? 0) + endUs - startUs);
  }
  const offset = ({ startUs, endUs, ...rest }: PathSegment) => ({
    ...rest,
    offsetUs: startUs - tree.startUs,
    durationUs: endUs - startUs,
  });
  return {
    traceId: tree.traceId,
    startUs: tree.startUs,
    durationUs: tree.endUs - tree.startUs,
    incomplete: tree.incomplete,
    errors: tree.nodes.filter(({ span }) => span.status === 'error').length,
    services: [...new Set(tree.nodes.map(({ span }) => span.service))],
    rows: tree.nodes.map((node) => ({
      span: node.span,
      depth: node.depth,
      offsetUs: node.startUs - tree.startUs,
      selfUs: selfUsOf(node),
      criticalUs: criticalUsOf.get(node.span.spanId) ?? 0,
      skewUs: node.skewUs,
      orphaned: node.orphaned,
    })),
    criticalPath: path.map(offset),
    linked: linkedWith(tree.traceId, spans, others),
  };
}

/** Its duration without the union of its children's intervals. */
export function selfUsOf(node: TreeNode): number {
  let coveredUs = 0;
  let reachedUs = node.startUs;
  for (const child of node.children) {
    const fromUs = Math.max(child.startUs, reachedUs);
    const toUs = Math.min(child.endUs, node.endUs);
    if (toUs <= fromUs) continue;
    coveredUs += toUs - fromUs;
    reachedUs = toUs;
  }
  return node.endUs - node.startUs - coveredUs;
}

function linkedWith(
  traceId: string,
  spans: readonly Span[],
  others: readonly Span[],
): Waterfall['linked'] {
  const own = new Set(spans.map(({ spanId }) => spanId));
  const keyOf = (id: { traceId: string; spanId: string }): string => id.traceId + id.spanId;
  const namedBy = new Map<string, string[]>();
  for (const { spanId, links } of spans) {
    for (const link of links) {
      const key = keyOf(link);
      namedBy.set(key, [...(namedBy.get(key) ?? []), spanId]);
    }
  }
  const linked = others.flatMap((span) => {
    if (span.traceId === traceId) return [];
    const forwards = span.links.filter((link) => link.traceId === traceId);
    const ids = [...forwards.map(({ spanId }) => spanId), ...(namedBy.get(keyOf(span)) ?? [])];
    const spanIds = [...new Set(ids)].filter((id) => own.has(id));
    return spanIds.length === 0 ? [] : [{ span, spanIds }];
  });
  return linked.sort((a, b) => a.span.startUs - b.span.startUs);
}
