// on, ignoring, group_left and group_right of PromQL.

import type { Matching } from './ast.ts';
import type { TreeNode } from './syntax-tree.ts';

/** How the samples of an operator's two sides are matched; all labels where nothing is said. */
export function matchingOf(node: TreeNode, operator: TreeNode, hasScalar: boolean): Matching {
  node.child('FillModifier')?.refuse('the modifier fill is not supported');
  const clause = node.child('MatchingModifierClause');
  if (clause === undefined) {
    return { by: 'ignoring', labels: [], cardinality: 'one-to-one', include: [] };
  }
  if (hasScalar) clause.fail('on and ignoring go between two vectors; one side is a number');
  const by = clause.child('On') === undefined ? 'ignoring' : 'on';
  const [of, included] = clause.children.filter(({ name }) => name === 'GroupingLabels').map(names);
  const labels = of ?? [];
  const include = included ?? [];
  const group = clause.child('GroupLeft', 'GroupRight');
  if (group === undefined) return { by, labels, cardinality: 'one-to-one', include };
  if (['And', 'Or', 'Unless'].includes(operator.name)) {
    group.fail(`${operator.text} takes no group_left or group_right`);
  }
  const both = by === 'on' ? include.find((label) => labels.includes(label)) : undefined;
  if (both !== undefined) group.fail(`the label ${both} stands both in on and in ${group.text}`);
  const cardinality = group.name === 'GroupLeft' ? 'many-to-one' : 'one-to-many';
  return { by, labels, cardinality, include };
}

function names(node: TreeNode): string[] {
  return node.children.map((label) =>
    label.name === 'LabelName'
      ? label.text
      : label.refuse('label names in quotes are not supported'),
  );
}
