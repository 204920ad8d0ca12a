// Batches of records, written in one transaction: all of them or none.
//
// W1. Rows are appended within the transaction: in memory, on our thread. Only its end waits for the
//     disk, and it runs on another thread: nobody who sends telemetry waits for it.

import type { DuckDBConnection } from '@duckdb/node-api';
import type { LogRecord, Sample, Span } from '../model.ts';
import { isTraceId } from '../otlp/translation.ts';
import type { Batch } from './buffer.ts';
import {
  appendRows,
  type ExemplarRow,
  type Rows,
  type SampleRow,
  type SeriesRow,
} from './columns.ts';
import { type TableName, tableNames } from './schema.ts';
import type { SeriesIndex } from './series-index.ts';

type Sorted = {
  spans: Span[];
  logs: LogRecord[];
  series: readonly SeriesRow[];
  samples: SampleRow[];
  exemplars: ExemplarRow[];
};

/**
 * @returns how many samples were refused because their series is one too many
 * @throws whatever DuckDB says; nothing is written then
 */
export async function writeBatches(
  connection: DuckDBConnection,
  index: SeriesIndex,
  batches: readonly Batch[],
): Promise<{ samplesRefused: number }> {
  const { rows, samplesRefused } = sorted(index, batches);
  const used = tableNames.filter((name) => rows[name].length > 0);
  try {
    await connection.run('BEGIN');
    for (const name of used) await append(connection, name, rows[name]);
    await connection.run('COMMIT');
    index.saved();
    return { samplesRefused };
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined); // There may be nothing to roll back.
    throw error;
  }
}

async function append<Name extends TableName>(
  connection: DuckDBConnection,
  name: Name,
  rows: readonly Rows[TableName][],
): Promise<void> {
  const appender = await connection.createAppender(name);
  appendRows(appender, name, rows as readonly Rows[Name][]);
  appender.closeSync();
}

function sorted(
  index: SeriesIndex,
  batches: readonly Batch[],
): { rows: Sorted; samplesRefused: number } {
  const spans: Span[] = [];
  const logs: LogRecord[] = [];
  const samples: SampleRow[] = [];
  const exemplars: ExemplarRow[] = [];
  let samplesRefused = 0;
  const addSample = (sample: Sample): void => {
    const seriesId = index.idOf(sample.name, sample.labels);
    if (seriesId === undefined) {
      samplesRefused += 1;
      return;
    }
    const { atMs, value, stale = false, exemplar } = sample;
    samples.push({ seriesId, atMs, value, stale });
    if (exemplar && isTraceId(exemplar.traceId)) exemplars.push({ seriesId, ...exemplar });
  };
  for (const batch of batches) {
    switch (batch.kind) {
      case 'spans':
        for (const span of batch.records) spans.push(span);
        break;
      case 'logs':
        for (const record of batch.records) logs.push(record);
        break;
      case 'samples':
        for (const sample of batch.records) addSample(sample);
        break;
    }
  }
  return { rows: { spans, logs, series: index.unsaved(), samples, exemplars }, samplesRefused };
}
