// The spans of one trace as a tree, in the order in which a person reads them.
//
// T1. Every span stands in the tree exactly once; one that was sent twice counts once.
// T2. A span whose parent is not there (or that is its own ancestor) is orphaned: it stands beside
//     the root, and the trace is incomplete. That is what the death of a process looks like.
// T3. Clocks of two machines differ. A server's span that does not lie within the client's span
//     which caused it is moved there, and with it what happened below on the same instance. No
//     duration ever changes.

import type { Span } from '../model.ts';

export type TreeNode = {
  span: Span;
  parent: TreeNode | undefined;
  /** By start. */
  children: TreeNode[];
  depth: number;
  /** Corrected for the difference of clocks. */
  startUs: number;
  endUs: number;
  /** By how much it was moved, in microseconds; 0 where clocks agree. */
  skewUs: number;
  orphaned: boolean;
};

export type TraceTree = {
  traceId: string;
  /** Roots and orphans, by start. */
  roots: TreeNode[];
  /** Depth first: every parent before its children. */
  nodes: TreeNode[];
  /** Some span is missing: what hung below it is orphaned. */
  incomplete: boolean;
  startUs: number;
  endUs: number;
};

/** The tree of these spans, all of one trace; undefined when there are none. */
export function treeOf(spans: readonly Span[]): TraceTree | undefined {
  const nodesById = new Map<string, TreeNode>();
  for (const span of spans) {
    if (!nodesById.has(span.spanId)) nodesById.set(span.spanId, newNode(span));
  }
  const all = [...nodesById.values()].sort(byStart);
  const [first] = all;
  if (first === undefined) return undefined;
  for (const node of all) {
    const { parentSpanId } = node.span;
    if (parentSpanId === undefined) continue;
    node.parent = nodesById.get(parentSpanId);
    node.orphaned = node.parent === undefined;
  }
  cutCycles(all);
  for (const node of all) node.parent?.children.push(node);
  const roots = all.filter((node) => node.parent === undefined);
  const nodes = inReadingOrder(roots);
  for (const node of nodes) correctClock(node);
  for (const node of nodes) node.children.sort(byStart);
  roots.sort(byStart);
  return {
    traceId: first.span.traceId,
    roots,
    nodes: inReadingOrder(roots),
    incomplete: all.some((node) => node.orphaned),
    startUs: all.reduce((least, node) => Math.min(least, node.startUs), Number.POSITIVE_INFINITY),
    endUs: all.reduce((most, node) => Math.max(most, node.endUs), Number.NEGATIVE_INFINITY),
  };
}

function newNode(span: Span): TreeNode {
  const { startUs } = span;
  const endUs = startUs + Math.max(0, span.durationUs);
  const place = { parent: undefined, children: [], depth: 0, skewUs: 0, orphaned: false };
  return { span, startUs, endUs, ...place };
}

function byStart(a: TreeNode, b: TreeNode): number {
  return a.startUs - b.startUs || (a.span.spanId < b.span.spanId ? -1 : 1);
}

/** Orphans the earliest span of every ring of parents (T2). */
function cutCycles(nodes: readonly TreeNode[]): void {
  const state = new Map<TreeNode, 'walking' | 'sound'>();
  for (const start of nodes) {
    const way: TreeNode[] = [];
    let at: TreeNode | undefined = start;
    while (at !== undefined && !state.has(at)) {
      state.set(at, 'walking');
      way.push(at);
      at = at.parent;
    }
    if (at !== undefined && state.get(at) === 'walking') {
      const ring = way.slice(way.indexOf(at)).sort(byStart);
      const [cut] = ring;
      if (cut !== undefined) Object.assign(cut, { parent: undefined, orphaned: true });
    }
    for (const node of way) state.set(node, 'sound');
  }
}

/** Parents before children; sets the depths. No recursion, since depth is what a sender says. */
function inReadingOrder(roots: readonly TreeNode[]): TreeNode[] {
  const nodes: TreeNode[] = [];
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    node.depth = node.parent === undefined ? 0 : node.parent.depth + 1;
    nodes.push(node);
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i];
      if (child !== undefined) waiting.push(child);
    }
  }
  return nodes;
}

/**
 * Moves a span by the difference of two clocks (T3), as Jaeger's clock-skew adjuster does: the
 * server's span into the middle of the client's, or to its start where the client gave up earlier.
 */
function correctClock(node: TreeNode): void {
  const { parent } = node;
  if (parent === undefined) return;
  const skewUs = sameClock(node, parent) ? parent.skewUs : skewBetween(node, parent);
  node.skewUs = skewUs;
  node.startUs += skewUs;
  node.endUs += skewUs;
}

function sameClock(node: TreeNode, parent: TreeNode): boolean {
  return node.span.service === parent.span.service && node.span.instance === parent.span.instance;
}

function skewBetween(node: TreeNode, parent: TreeNode): number {
  if (node.span.kind !== 'server' || parent.span.kind !== 'client') return 0;
  const within = node.startUs >= parent.startUs && node.endUs <= parent.endUs;
  if (within) return 0;
  const slackUs = parent.endUs - parent.startUs - (node.endUs - node.startUs);
  if (slackUs >= 0) return Math.round(parent.startUs + slackUs / 2 - node.startUs);
  return node.startUs < parent.startUs ? parent.startUs - node.startUs : 0;
}
