// The critical path of a trace: the chain of work that decided how long the whole took.
//
// The algorithm is that of CRISP (Zhang et al., USENIX ATC 2022): walk backwards from the end. What
// ran last within a span is the child that ended last; before that child began, the span waited for
// whichever child ended last before then; what no child covers is the span's own work. Children
// that ran beside the chosen one are not on the path: making them faster gains nothing.
//
// CRISP sees calls only. Two rules are added for messages:
// P1. The walk starts from the span that ended last, wherever it is. A consumer's span, or one that
//     starts when its parent is over, is nobody's wait: on its own start the walk goes on in its
//     parent, at that instant. Time between the parent's end and that start belongs to nobody: the
//     message waited.
// P2. An orphan is taken for something that the root caused in this way.
// P3. Segments ascend, touch each other and reach from the root's start to the last end. What a call
//     did before it was asked or after its caller was gone decided nothing and is left out.

import type { TraceTree, TreeNode } from './trace-tree.ts';

/** A piece of the path; `spanId` is absent where a message waited for someone to take it. */
export type PathSegment = { spanId?: string; startUs: number; endUs: number };

type Place = {
  node: TreeNode;
  parent: Place | undefined;
  startUs: number;
  endUs: number;
  /** Those that it waited for, by end, latest last; the walk takes them from the end. */
  awaited: Place[];
};

/** The path, from the start of the trace to its end. */
export function criticalPathOf(tree: TraceTree): PathSegment[] {
  const places = placesOf(tree);
  const [first] = places;
  if (first === undefined) return [];
  const last = places.reduce((latest, place) => (place.endUs > latest.endUs ? place : latest));
  const backwards: PathSegment[] = [];
  const emit = (startUs: number, endUs: number, spanId?: string): void => {
    if (endUs <= startUs) return;
    backwards.push({ ...(spanId === undefined ? {} : { spanId }), startUs, endUs });
  };
  let at: Place | undefined = last;
  let nowUs = last.endUs;
  while (at !== undefined) {
    const { spanId } = at.node.span;
    const next = latestBefore(at, nowUs);
    if (next !== undefined) {
      emit(next.endUs, nowUs, spanId);
      [at, nowUs] = [next, next.endUs];
      continue;
    }
    emit(at.startUs, nowUs, spanId);
    nowUs = Math.min(nowUs, at.startUs);
    const { parent }: Place = at;
    if (parent !== undefined && parent.endUs < nowUs) {
      emit(parent.endUs, nowUs);
      nowUs = parent.endUs;
    }
    at = parent;
  }
  return joined(backwards.reverse());
}

/** Every span with the interval in which it can be on the path: never outside of what it serves. */
function placesOf(tree: TraceTree): Place[] {
  const [root] = tree.roots;
  const placeOf = new Map<TreeNode, Place>();
  for (const node of tree.nodes) {
    const above = node.parent ?? (node === root ? undefined : root);
    const parent = above === undefined ? undefined : placeOf.get(above);
    const startUs = Math.max(node.startUs, parent?.startUs ?? node.startUs);
    const isAwaited = parent !== undefined && node.parent !== undefined && waitsFor(parent, node);
    const endsUs = isAwaited ? Math.min(node.endUs, parent.endUs) : node.endUs;
    const place = { node, parent, startUs, endUs: Math.max(startUs, endsUs), awaited: [] };
    placeOf.set(node, place);
    if (isAwaited) parent.awaited.push(place);
  }
  const places = [...placeOf.values()];
  for (const { awaited } of places) awaited.sort((a, b) => a.endUs - b.endUs);
  return places;
}

function waitsFor(parent: Place, child: TreeNode): boolean {
  return child.span.kind !== 'consumer' && child.startUs < parent.endUs;
}

/** Takes the awaited child that ended last before now. */
function latestBefore(place: Place, nowUs: number): Place | undefined {
  for (let child = place.awaited.pop(); child !== undefined; child = place.awaited.pop()) {
    if (child.endUs <= nowUs && child.endUs > child.startUs) return child;
  }
  return undefined;
}

function joined(segments: readonly PathSegment[]): PathSegment[] {
  const out: PathSegment[] = [];
  for (const segment of segments) {
    const before = out.at(-1);
    if (before !== undefined && before.spanId === segment.spanId) before.endUs = segment.endUs;
    else out.push({ ...segment });
  }
  return out;
}
