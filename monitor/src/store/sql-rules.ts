// What a user's statement may be: read from its syntax tree, as DuckDB itself parsed it.
//
// Q1. One statement, and it is a SELECT (WITH, FROM, VALUES, DESCRIBE and SUMMARIZE are, too).
// Q2. It reads our tables and views and what it defines itself; no catalog, no file, and of the
//     functions that give tables only the few here.
// Q3. No function that makes much out of little in one step, which nothing could interrupt; none
//     that reads settings or waits. How much longer texts can become is bounded (sql-growth.ts).

import { SqlRefusedError } from './face.ts';
import { tableNames, views } from './schema.ts';
import { checkGrowth } from './sql-growth.ts';

const readable = new Set<string>([...tableNames, ...Object.keys(views)]);
const tableFunctions = new Set(['generate_series', 'json_each', 'json_tree', 'range', 'unnest']);
const refusedFunctions = new Set([
  ...['array_resize', 'list_resize', 'list_reduce', 'array_reduce', 'reduce'],
  ...['generate_series', 'range', 'repeat', 'lpad', 'rpad', 'bar', 'format', 'printf'],
  ...['bitstring', 'bitstring_agg', 'create_sort_key', 'icu_sort_key'],
  ...['json_serialize_sql', 'json_deserialize_sql'],
  ...['current_setting', 'getvariable', 'getenv', 'json_serialize_plan', 'write_log'],
  ...['currval', 'nextval', 'setseed', 'sleep', 'sleep_ms', 'pg_sleep', 'txid_current'],
]);
/** Names of the system, which a statement may not take for its own and so get at the others. */
const systemNames = /^(duckdb_|information_schema|pg_|pragma_|sqlite_)/i;

const nodesMax = 20_000;

type Node = Readonly<Record<string, unknown>>;

/**
 * @param tree what `json_serialize_sql` says
 * @throws SqlRefusedError with the rule that it breaks
 */
export function checkStatement(tree: string): void {
  const { error, error_message, statements } = JSON.parse(tree) as {
    error: boolean;
    error_message?: string;
    statements?: unknown[];
  };
  if (error) {
    throw new SqlRefusedError(
      `It cannot be read as one SELECT (${error_message}); only questions are answered here.`,
    );
  }
  if (statements?.length !== 1) {
    const count = statements?.length ?? 0;
    throw new SqlRefusedError(`It has ${count} statements; send exactly one SELECT.`);
  }
  const nodes = nodesOf(statements[0]);
  const defined = new Set(nodes.flatMap(definedNames));
  for (const node of nodes) checkNode(node, defined);
  checkGrowth(nodes);
}

function checkNode(node: Node, defined: ReadonlySet<string>): void {
  const type = node['type'];
  if (type === 'BASE_TABLE') checkTable(node, defined);
  if (type === 'TABLE_FUNCTION') checkTableFunction(node);
  if (type === 'SHOW_REF' && node['query'] == null) {
    throw new SqlRefusedError('SHOW is not answered here; try DESCRIBE and the name of a table.');
  }
  if (type === 'VALUE_PARAMETER') {
    throw new SqlRefusedError('It has a parameter (? or $), and there are no values for it.');
  }
  if (node['class'] === 'LAMBDA') {
    throw new SqlRefusedError(
      'It has a function without a name (lambda), which is not allowed here.',
    );
  }
  const name = node['function_name'];
  const isCall = typeof name === 'string' && node['within_table'] !== true;
  if (isCall && refusedFunctions.has(name.toLowerCase())) {
    throw new SqlRefusedError(`The function ${name} is not allowed here.`);
  }
}

function checkTable(node: Node, defined: ReadonlySet<string>): void {
  const table = String(node['table_name']).toLowerCase();
  const schema = String(node['schema_name'] ?? '').toLowerCase();
  const isPlain = (schema === '' || schema === 'main') && (node['catalog_name'] ?? '') === '';
  if (isPlain && (readable.has(table) || (schema === '' && defined.has(table)))) return;
  const names = [...readable].sort().join(', ');
  throw new SqlRefusedError(
    `There is no table "${node['table_name']}" to read; there are ${names}.`,
  );
}

function checkTableFunction(node: Node): void {
  const call = (node['function'] ?? {}) as Node;
  const name = String(call['function_name']).toLowerCase();
  if (tableFunctions.has(name)) return;
  throw new SqlRefusedError(`The function ${name} cannot be read from here.`);
}

/** Names of common table expressions. */
function definedNames(node: Node): string[] {
  const map = (node['cte_map'] as { map?: { key?: unknown }[] } | undefined)?.map ?? [];
  return map.map(({ key }) => {
    const name = String(key).toLowerCase();
    if (!systemNames.test(name)) return name;
    throw new SqlRefusedError(`"${name}" is a name of the system; call it something else.`);
  });
}

/** Every object of the tree. What is called by a table function is marked `within_table`. */
function nodesOf(root: unknown): Node[] {
  const found: Node[] = [];
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (found.length > nodesMax) {
      throw new SqlRefusedError(`It has more than ${nodesMax} parts; ask a shorter question.`);
    }
    if (Array.isArray(value)) {
      left.push(...value);
      continue;
    }
    const node = value as Node;
    found.push(node);
    for (const [key, child] of Object.entries(node)) {
      const isTableCall = node['type'] === 'TABLE_FUNCTION' && key === 'function';
      left.push(isTableCall ? { ...(child as object), within_table: true } : child);
    }
  }
  return found;
}
