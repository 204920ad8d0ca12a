// Log records of OTLP in the monitor's own words.

import { type LogLevel, type LogRecord, logLevels } from '../model.ts';
import { lineLengthMax } from '../tail/log-line.ts';
import type { AnyValue, Decoded } from './messages.ts';
import { isOwnService } from './own-names.ts';
import type { Translated } from './translate-traces.ts';
import { isInstant, isSpanId, isTraceId, originOf, Refusals } from './translation.ts';

/** Records without an instant are of now. */
export function logsOf(request: Decoded<'LogsRequest'>, nowUs: number): Translated<LogRecord> {
  const records: LogRecord[] = [];
  const refusals = new Refusals();
  for (const { resource, scopeLogs = [] } of request.resourceLogs ?? []) {
    const origin = originOf(resource);
    const isOurs = isOwnService(origin.service);
    for (const { logRecords = [] } of scopeLogs) {
      if (isOurs) {
        refusals.add('the service.name is that of a part of the shop', logRecords.length);
        continue;
      }
      for (const record of logRecords) {
        const atUs = record.timeUnixNano || record.observedTimeUnixNano || nowUs;
        if (isInstant(atUs, nowUs)) records.push({ ...origin, ...logOf(record, atUs) });
        else refusals.add('the instant of a log record is in the future');
      }
    }
  }
  return { records, refusals };
}

function logOf(
  record: Decoded<'LogRecord'>,
  atUs: number,
): Omit<LogRecord, 'service' | 'instance'> {
  const { attributes = {}, body = null, traceId, spanId } = record;
  const level = levelOf(record);
  const message = cut(messageOf(body) || record.eventName || '');
  return {
    atUs: Math.floor(atUs),
    level,
    message,
    line: lineOf(record, level, message),
    ...(isTraceId(traceId) ? { traceId } : {}),
    ...(isTraceId(traceId) && isSpanId(spanId) ? { spanId } : {}),
    attributes,
  };
}

/** The body as it is; together with its attributes as JSON, like a line of our own services. */
function lineOf(record: Decoded<'LogRecord'>, level: LogLevel, message: string): string {
  const { attributes = {}, body = null } = record;
  if (Object.keys(attributes).length === 0) return message;
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const line = JSON.stringify({ level, ...(isObject ? body : { msg: message }), ...attributes });
  return line.length <= lineLengthMax ? line : message;
}

function messageOf(body: AnyValue): string {
  if (body === null) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** SeverityNumber of logs.proto: four for each level, from 1 (TRACE) to 24 (FATAL4). */
function levelOf({ severityNumber = 0, severityText = '' }: Decoded<'LogRecord'>): LogLevel {
  const byNumber = logLevels[Math.ceil(severityNumber / 4) - 1];
  if (byNumber !== undefined) return byNumber;
  const word = severityText.toLowerCase();
  return logLevels.find((level) => word.startsWith(level)) ?? 'info';
}

function cut(text: string): string {
  if (text.length <= lineLengthMax) return text;
  return text.slice(0, lineLengthMax).toWellFormed();
}
