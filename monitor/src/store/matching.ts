// Conditions on labels, as SQL. DuckDB's patterns are RE2, as those of Prometheus and Loki.

import type { Matcher } from '../model.ts';
import type { Parameter } from './face.ts';

export type Condition = { sql: string; parameters: Parameter[] };

/**
 * All of the matchers hold. An absent label is an empty one.
 *
 * @param columnOf the SQL of a label, which may have parameters of its own
 */
export function matching(
  matchers: readonly Matcher[],
  columnOf: (label: string) => Condition,
): Condition {
  return all(matchers.map((matcher) => conditionOf(matcher, columnOf(matcher.label))));
}

function conditionOf({ operator, value }: Matcher, column: Condition): Condition {
  const parameters = [...column.parameters, value];
  switch (operator) {
    case '=':
      return { sql: `${column.sql} = ?`, parameters };
    case '!=':
      return { sql: `${column.sql} <> ?`, parameters };
    case '=~':
      return { sql: `regexp_full_match(${column.sql}, ?, 's')`, parameters };
    case '!~':
      return { sql: `NOT regexp_full_match(${column.sql}, ?, 's')`, parameters };
  }
}

export function all(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: 'true', parameters: [] };
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(' AND '),
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}
