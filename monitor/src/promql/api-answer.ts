// What the HTTP forms of the two query languages have in common: parameters, times and numbers.

import type { Series } from '../model.ts';
import { QueryError } from './errors.ts';
import { parseDurationMs } from './literals.ts';

/** A text is sent as it stands, everything else as JSON. */
export type ApiAnswer = { status: number; body: unknown };

/** How long one question may take; a `timeout` parameter can only shorten it. */
export const answerMsMax = 30_000;

/** A value as Prometheus prints it. */
export function printValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Object.is(value, -0)) return '-0';
  // The exponents of Go have two digits; where one is written is the same in both languages.
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

export function secondsOf(atMs: number): number {
  return atMs / 1_000;
}

/** Whole ms of a time that is written as seconds or as RFC 3339. */
export function parseTimeMs(name: string, text: string): number {
  const ms = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
    ? Math.round(Number(text) * 1_000)
    : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text)
      ? Math.floor(Date.parse(text))
      : Number.NaN;
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) {
    throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }
  return ms;
}

/** Whole ms of a duration that is written as seconds, or as in PromQL. */
export function parseStepMs(name: string, text: string): number {
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const ms = isNumber ? Math.trunc(Number(text) * 1_000) : parseDurationMs(text);
  if (ms === undefined || !Number.isSafeInteger(ms)) {
    throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  }
  return ms;
}

export function invalid(name: string, why: string): QueryError {
  return new QueryError('syntax', `invalid parameter ${JSON.stringify(name)}: ${why}`);
}

/** The one value of a parameter that must be there. */
export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name) ?? '';
  if (value === '') throw invalid(name, 'it is missing');
  return value;
}

/** The caller's signal, and the end of the time that one question has. */
export function limited(signal: AbortSignal | undefined, parameters: URLSearchParams): AbortSignal {
  const asked = parameters.get('timeout');
  const ms = asked === null ? answerMsMax : parseStepMs('timeout', asked);
  const end = AbortSignal.timeout(Math.max(1, Math.min(ms, answerMsMax)));
  return signal === undefined ? end : AbortSignal.any([signal, end]);
}

/** Why an answer was given up, when that is what an error says. */
export function givenUp(error: unknown): 'timeout' | 'canceled' | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') return 'timeout';
  return error.name === 'AbortError' ? 'canceled' : undefined;
}

/** A series as both APIs write it in a matrix. */
export function matrixSeries({ labels, atMs, values }: Series): unknown {
  const points = Array.from(atMs, (at, index) => [
    secondsOf(at),
    printValue(values[index] ?? Number.NaN),
  ]);
  return { metric: labels, values: points };
}
