// A LogSource in memory, for tests.

import type { Labels, LogQuery, LogRecord, LogSource } from '../model.ts';
import { matchLabels } from '../promql/matchers.ts';

/** @param records in the order of their instants */
export function memoryLogs(records: readonly LogRecord[]): LogSource {
  const labelsOf = ({ service, instance, level }: LogRecord): Labels => ({
    service,
    instance,
    level,
  });
  const found = ({
    matchers,
    range,
    contains = [],
    lacks = [],
  }: Omit<LogQuery, 'limit' | 'newestFirst'>): LogRecord[] => {
    const matches = matchLabels(matchers);
    return records.filter(
      (record) =>
        record.atUs >= range.fromMs * 1_000 &&
        record.atUs <= range.toMs * 1_000 &&
        matches(labelsOf(record)) &&
        contains.every((text) => record.line.includes(text)) &&
        !lacks.some((text) => record.line.includes(text)),
    );
  };
  return {
    select: async ({ limit, newestFirst, ...query }) => {
      const lines = found(query);
      return (newestFirst ? lines.reverse() : lines).slice(0, limit);
    },
    labelSets: async (matchers, range) => {
      const sets = found({ matchers, range }).map((record) => JSON.stringify(labelsOf(record)));
      return [...new Set(sets)].map((text): Labels => JSON.parse(text));
    },
  };
}
