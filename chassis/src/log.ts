// JSON logs on standard output, one line an event, written at once: a killed process loses none.
// What is said inside a span says which.

import { pino } from 'pino';
import { currentSpan } from './tracing/span.ts';

export type LogFields = Record<string, unknown>;

export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

/** Keys under which a secret could stand by mistake; their values never reach a log. */
const secrets = ['password', 'newPassword', 'token', 'authorization', 'key', 'secret'];

export function createLog(options: { service: string; instance: string; level: string }): Log {
  return pino({
    level: options.level,
    base: { service: options.service, instance: options.instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    mixin: () => {
      const span = currentSpan();
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
    },
    serializers: { error: pino.stdSerializers.err },
  });
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
