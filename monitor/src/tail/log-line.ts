// A line of a log file as a record. Our own services write JSON; whatever else stands there is kept
// as plain text.

import { type LogLevel, type LogRecord, logLevels } from '../model.ts';

export const lineLengthMax = 65_536;

const hourMs = 3_600_000;
/** As pino numbers them when nobody asks for words. */
const numberedLevels: Readonly<Record<number, LogLevel>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** Words that other programs begin a line with, Postgres among them. */
const levelWords: readonly (readonly [RegExp, LogLevel])[] = [
  [/\b(PANIC|FATAL)\b/, 'fatal'],
  [/\b(ERROR|ERR)\b/, 'error'],
  [/\b(WARNING|WARN)\b/, 'warn'],
  [/\b(DEBUG\d?)\b/, 'debug'],
];
const levelWithin = 120;

/**
 * @param service the name of the file; a line of JSON may say better
 * @param nowMs the instant of a line that has none
 */
export function recordOfLine(text: string, service: string, nowMs: number): LogRecord {
  const line = text.length > lineLengthMax ? text.slice(0, lineLengthMax).toWellFormed() : text;
  const fields = fieldsOf(line);
  if (fields === undefined) {
    const level = levelOfText(line);
    return {
      ...{ atUs: nowMs * 1_000, service, instance: '', level },
      message: line,
      line,
      attributes: {},
    };
  }
  const traceId = idOf(fields['trace_id'], 32);
  const spanId = idOf(fields['span_id'], 16);
  return {
    atUs: Math.round(instantOf(fields['time'], nowMs) * 1_000),
    service: textOf(fields['service']) || service,
    instance: textOf(fields['instance']),
    level: levelOf(fields['level']),
    message: textOf(fields['msg']) || textOf(fields['message']),
    line,
    ...(traceId === undefined ? {} : { traceId }),
    ...(traceId === undefined || spanId === undefined ? {} : { spanId }),
    attributes: {}, // They stand in the line: T3 of ../store/schema.ts.
  };
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function instantOf(time: unknown, nowMs: number): number {
  const given = typeof time === 'string' ? Date.parse(time) : Number(time ?? Number.NaN);
  return given > 0 && given <= nowMs + hourMs ? given : nowMs;
}

function levelOf(level: unknown): LogLevel {
  if (typeof level === 'number') return numberedLevels[level] ?? 'info';
  return logLevels.find((known) => known === level) ?? 'info';
}

function levelOfText(line: string): LogLevel {
  const start = line.slice(0, levelWithin);
  return levelWords.find(([word]) => word.test(start))?.[1] ?? 'info';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function idOf(value: unknown, digits: number): string | undefined {
  if (typeof value !== 'string' || value.length !== digits) return undefined;
  return /^[0-9a-f]+$/.test(value) && !/^0+$/.test(value) ? value : undefined;
}
