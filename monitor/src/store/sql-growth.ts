// How much longer a statement can make a text in one step, which nothing could interrupt.
//
// A value passes each SELECT of a statement at most once, and within one it can pass every item that
// has a name (DuckDB lets later items use earlier ones). So the growth of a statement is the product
// of that of its SELECTs, and that of a SELECT the product of its named items and its worst other.

import { SqlRefusedError } from './face.ts';

type Node = Readonly<Record<string, unknown>>;

const growthMax = 64;
/** A recursive part can repeat what it does before anyone sees it. */
const recursiveGrowthMax = 4;

const times = (growth: number, ...names: string[]): [string, number][] =>
  names.map((name) => [name, growth]);
/** How much longer each makes a text; what makes lists and JSON doubles quotes and backslashes. */
const growthOf = new Map<string, number>([
  ...times(2, 'hex', 'to_hex', 'base64', 'to_base64', 'regexp_escape'),
  ...times(3, 'url_encode'),
  ...times(4, 'encode', 'translate'),
  ...times(8, 'bin', 'to_binary'),
  // Where their second argument is not one constant: a format of a column, a list of quantiles.
  ...times(16, 'strftime', 'quantile_disc', 'quantile'),
  ...times(2, 'list', 'array_agg', 'list_value', 'list_pack', 'array_value', 'row', 'struct_pack'),
  ...times(2, 'map', 'json_object', 'json_array', 'json_quote', 'to_json', 'array_to_json'),
  ...times(2, 'row_to_json', 'json_group_array', 'json_group_object', 'json_pretty', 'histogram'),
  ...times(2, 'approx_top_k', 'max', 'min', 'arg_max', 'arg_min', 'max_by', 'min_by'),
  ...times(2, 'split', 'str_split', 'string_split', 'string_to_array', 'str_split_regex'),
  ...times(2, 'string_split_regex', 'regexp_split_to_array', 'regexp_extract_all'),
]);
const growthOfCast = new Map(times(8, 'BIT').concat(times(4, 'BLOB'), times(2, 'LIST', 'ARRAY')));
/** What they give is as long as all that they are given. */
const joining = new Set([
  ...['||', 'concat', 'concat_ws', 'list_value', 'list_pack', 'array_value', 'row', 'struct_pack'],
  ...['list_concat', 'list_cat', 'array_concat', 'array_cat', 'list_append', 'list_prepend'],
  ...['array_append', 'array_prepend', 'array_push_back', 'array_push_front', 'list_zip'],
  ...['array_zip', 'map', 'json_object', 'json_array', 'json_merge_patch'],
]);
/** Where they put in a text, once or often. */
const puttingIn: Readonly<Record<string, number>> = {
  replace: 2,
  regexp_replace: 2,
  array_to_string: 1,
  list_aggr: 2,
  list_aggregate: 2,
  list_string_agg: 1,
  array_aggr: 2,
  array_aggregate: 2,
  aggregate: 2,
};

/**
 * @param nodes every object of a statement's tree, what contains before what is contained
 * @throws SqlRefusedError
 */
export function checkGrowth(nodes: readonly Node[]): void {
  const known = new Map<unknown, number>();
  const tables = new Set(nodes.flatMap(tableNames));
  let growth = 1;
  for (const node of nodes.toReversed()) {
    const isSelect = node['type'] === 'SELECT_NODE';
    const own = isSelect ? growthOfSelect(node, known) : growthOfPart(node, known);
    if (isSelect || node['within_table'] === true) growth *= own;
    else known.set(node, isRow(node, tables) ? 2 : own);
  }
  const isRecursive = nodes.some(({ type }) => type === 'RECURSIVE_CTE_NODE');
  const most = isRecursive ? recursiveGrowthMax : growthMax;
  if (growth <= most) return;
  throw new SqlRefusedError(
    `What it does to texts can make them ${growth} times as long; ${most} times at most` +
      `${isRecursive ? ' where it is recursive' : ''}. Use fewer functions that lengthen texts.`,
  );
}

/** What a table, a question or a join can be called by. */
function tableNames({ alias, table_name, type, from_table }: Node): string[] {
  const { alias: ofPart } = (from_table ?? {}) as Node;
  const isTable = /^(BASE_TABLE|SUBQUERY|TABLE_FUNCTION|JOIN|EXPRESSION_LIST|PIVOT)$/.test(
    `${type}`,
  );
  const names = [ofPart, ...(isTable ? [alias, table_name, 'unnamed_subquery'] : [])];
  return names.flatMap((name) => (name ? [String(name).toLowerCase()] : []));
}

/** A table's name in place of a column's is all its columns, as one value. */
function isRow(node: Node, tables: ReadonlySet<string>): boolean {
  const names = (node['type'] === 'COLUMN_REF' ? node['column_names'] : undefined) as unknown[];
  return names?.length === 1 && tables.has(String(names[0]).toLowerCase());
}

type Known = ReadonlyMap<unknown, number>;

function growthOfSelect(node: Node, known: Known): number {
  const items = node['select_list'] as Node[];
  const named = items.filter(({ alias }) => alias !== '');
  const other = [node['from_table'], ...Object.values(node).flat()].filter(
    (part) => !named.includes(part as Node),
  );
  const all = [...named.map((part) => known.get(part) ?? 1), worst(other, known)];
  return all.reduce((product, each) => product * each, 1);
}

function growthOfPart(node: Node, known: Known): number {
  const inner = Object.values(node).flat();
  if (node['class'] === 'FUNCTION') return growthOfCall(node, known);
  if (node['class'] !== 'CAST') return worst(inner, known);
  const type = (node['cast_type'] as { id?: string } | undefined)?.id ?? '';
  return (growthOfCast.get(type) ?? 1) * worst(inner, known);
}

function growthOfCall(node: Node, known: Known): number {
  const name = String(node['function_name']).toLowerCase();
  const given = node['children'] as Node[];
  const put = Object.hasOwn(puttingIn, name) ? puttingIn[name] : undefined;
  if (put !== undefined) {
    const most = worst(Object.values(node).flat(), known);
    return most * lengthPutIn(name, given[put]);
  }
  const unfixed = given.filter((part) => part['class'] !== 'CONSTANT');
  if (unfixed.length === 0) return 1;
  const own = isPlain(name, given) ? 1 : (growthOf.get(name) ?? 1);
  if (!joining.has(name)) return own * worst(Object.values(node).flat(), known);
  if (name === 'concat_ws') return given.length * worst(given, known);
  return own * unfixed.reduce((sum, part) => sum + (known.get(part) ?? 1), 0);
}

/** Whether it gives one value, as short as what it is given. */
function isPlain(name: string, given: readonly Node[]): boolean {
  if (/^(strftime|quantile|quantile_disc)$/.test(name)) return given[1]?.['class'] === 'CONSTANT';
  if (/^(max|min)$/.test(name)) return given.length === 1;
  return /^(arg_(max|min)|(max|min)_by)$/.test(name) && given.length === 2;
}

/** It can stand behind every character. */
function lengthPutIn(name: string, text: Node | undefined): number {
  if (text === undefined) return 1;
  if (text['class'] === 'CONSTANT') {
    const { value } = (text['value'] ?? {}) as { value?: unknown };
    return Math.max(1, String(value ?? '').length);
  }
  throw new SqlRefusedError(`What ${name} puts in must be written out as a text.`);
}

function worst(parts: readonly unknown[], known: Known): number {
  return parts.reduce<number>((most, part) => Math.max(most, known.get(part) ?? 1), 1);
}
