// Reading the trees of the lezer parsers, the same for PromQL and LogQL.

import type { SyntaxNode, Tree } from '@lezer/common';
import { QueryError } from './errors.ts';

export const expressionLengthMax = 16_384;

/** A node with the text under it. */
export class TreeNode {
  readonly #node: SyntaxNode;
  readonly #source: string;

  constructor(node: SyntaxNode, source: string) {
    this.#node = node;
    this.#source = source;
  }

  get name(): string {
    return this.#node.type.name;
  }

  get text(): string {
    return this.#source.slice(this.#node.from, this.#node.to);
  }

  get from(): number {
    return this.#node.from;
  }

  get children(): TreeNode[] {
    const children: TreeNode[] = [];
    for (let child = this.#node.firstChild; child !== null; child = child.nextSibling) {
      if (child.type.name !== 'LineComment') children.push(new TreeNode(child, this.#source));
    }
    return children;
  }

  child(...names: readonly string[]): TreeNode | undefined {
    return this.children.find((child) => names.includes(child.name));
  }

  childrenNamed(name: string): TreeNode[] {
    return this.children.filter((child) => child.name === name);
  }

  /** Everything of this name below, in the order of the text; not within one another. */
  all(name: string): TreeNode[] {
    return this.children.flatMap((child) => (child.name === name ? [child] : child.all(name)));
  }

  /** @throws QueryError: it is the caller who knows that one must be there */
  must(...names: readonly string[]): TreeNode {
    return this.child(...names) ?? this.fail(`${names.join(' or ')} is missing`);
  }

  fail(sentence: string): never {
    throw new QueryError('syntax', sentence, this.from);
  }

  refuse(sentence: string): never {
    throw new QueryError('unsupported', sentence, this.from);
  }
}

/**
 * The root of a tree without errors.
 *
 * @param explain may know better than "unexpected" what is wrong at a place
 * @throws QueryError at the first place that does not parse
 */
export function rootOf(
  tree: Tree,
  source: string,
  explain: (position: number) => string | undefined,
): TreeNode {
  let errorAt: number | undefined;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError && errorAt === undefined) errorAt = node.from;
      return errorAt === undefined;
    },
  });
  if (errorAt !== undefined) {
    const rest = source.slice(errorAt).trimStart();
    const found = /^(?:[\w:.]+|"[^"]*"?|[^\s\w]{1,2})/.exec(rest)?.[0];
    const what = found === undefined ? 'the expression ends too early' : `unexpected ${found}`;
    throw new QueryError('syntax', explain(errorAt) ?? what, errorAt);
  }
  return new TreeNode(tree.topNode, source);
}

/** @throws QueryError when there is nothing, or more than is ever needed, to read */
export function checkLength(source: string): void {
  if (source.trim() === '') throw new QueryError('syntax', 'the expression is empty', 0);
  if (source.length > expressionLengthMax) {
    throw new QueryError(
      'unsupported',
      `an expression of ${source.length} characters is longer than ${expressionLengthMax}; split it`,
    );
  }
}
