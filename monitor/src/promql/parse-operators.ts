// Which operator binds tighter.
//
// The grammar for editors groups some expressions in another way than Prometheus does: it lets an
// offset (and a range) take a whole sum, and gives a number its sign before its power. The order of
// the words is right, though: so operators, signs and operands are read as a row and grouped anew.
//
// B1. From loose to tight: or; and, unless; comparisons; + -; * / %, signs; ^. All are grouped from
//     the left but ^.
// B2. An offset belongs to the operand right before it.

import type { TreeNode } from './syntax-tree.ts';

export type Operand = { kind: 'operand'; node: TreeNode; offset?: TreeNode };
export type Item =
  | Operand
  | { kind: 'sign'; isMinus: boolean; node: TreeNode }
  /** `node` holds the operator's modifiers. */
  | { kind: 'operator'; node: TreeNode; operator: TreeNode };

/** How the parts become an expression. */
export type Builder<Expression> = {
  operand(operand: Operand): Expression;
  signed(isMinus: boolean, of: Expression, node: TreeNode): Expression;
  binary(
    left: Expression,
    right: Expression,
    operator: { node: TreeNode; operator: TreeNode },
  ): Expression;
};

const itemsMax = 500;
const tightness: Readonly<Record<string, number>> = {
  Or: 1,
  And: 2,
  Unless: 2,
  Eql: 3,
  Neq: 3,
  Gtr: 3,
  Lss: 3,
  Gte: 3,
  Lte: 3,
  Add: 4,
  Sub: 4,
  Mul: 5,
  Div: 5,
  Mod: 5,
  Pow: 6,
};

/** Groups what stands under a node of operators, signs and offsets. */
export function grouped<Expression>(node: TreeNode, builder: Builder<Expression>): Expression {
  const items: Item[] = [];
  flatten(node, items);
  return group(items, node, builder);
}

/** Groups a row of items; `node` is where they stand. The operators of LogQL bind the same way. */
export function group<Expression>(
  items: readonly Item[],
  node: TreeNode,
  builder: Builder<Expression>,
): Expression {
  let at = 0;
  const operandOrSign = (): Expression => {
    const item = items[at++];
    switch (item?.kind) {
      case 'operand':
        return builder.operand(item);
      case 'sign':
        return builder.signed(item.isMinus, climb(6), item.node);
      case 'operator':
      case undefined:
        return node.fail('an operand is missing');
    }
  };
  const climb = (tightnessMin: number): Expression => {
    let left = operandOrSign();
    for (;;) {
      const item = items[at];
      if (item?.kind !== 'operator') return left;
      const own = tightness[item.operator.name];
      if (own === undefined) {
        return item.operator.refuse(`the operator ${item.operator.text} is not supported`);
      }
      if (own < tightnessMin) return left;
      at++;
      const right = climb(item.operator.name === 'Pow' ? own : own + 1);
      left = builder.binary(left, right, item);
    }
  };
  return climb(1);
}

function flatten(node: TreeNode, items: Item[]): void {
  if (items.length > itemsMax) node.refuse(`more than ${itemsMax} operators and operands in a row`);
  const [first, second] = node.children;
  switch (node.name) {
    case 'BinaryExpr': {
      const last = node.children.at(-1);
      if (first === undefined || second === undefined || last === undefined) return;
      flatten(first, items);
      items.push({ kind: 'operator', node, operator: second });
      flatten(last, items);
      return;
    }
    case 'UnaryExpr':
      items.push({ kind: 'sign', isMinus: first?.text === '-', node });
      if (second !== undefined) flatten(second, items);
      return;
    case 'OffsetExpr': {
      if (first !== undefined) flatten(first, items);
      const operand = items.at(-1);
      if (operand?.kind !== 'operand') node.fail('an operand is missing');
      if (operand.offset !== undefined) node.fail('offset stands twice');
      operand.offset = node.must('OffsetDurationExpr');
      return;
    }
    case 'NumberDurationLiteral':
      if (/^[+-]/.test(node.text)) {
        items.push({ kind: 'sign', isMinus: node.text.startsWith('-'), node });
      }
      items.push({ kind: 'operand', node });
      return;
    default:
      items.push({ kind: 'operand', node });
  }
}
