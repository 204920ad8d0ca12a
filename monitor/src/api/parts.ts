// What the handlers of the API stand on, and what they share.
//
// W1. Without `from` and `to` a question is about the last 15 minutes.
// W2. What cannot be answered is told as what it is: a query that is refused, too much to read, or
//     a store that cannot be read now. Anything else is our mistake.

import type { Environment, Log } from '@rushlight/chassis';
import { ApiError, limits } from '@rushlight/contracts';
import type { Alerting } from '../alerting/alert-loop.ts';
import { LimitError, type Range, type SeriesSource } from '../model.ts';
import { QueryError } from '../promql/errors.ts';
import { SqlRefusedError, StoreUnavailableError, type TelemetryStore } from '../store/face.ts';
import type { LogFeed } from './log-feed.ts';
import { iso } from './times.ts';

/** The scraper, as far as the API knows it. */
export type Targets = {
  list(): readonly { name: string; up: boolean; own: boolean; why?: string }[];
  /** @throws ApiError('taken' | 'address_refused' | 'watching_enough') */
  watch(name: string, metricsUrl: string): Promise<void>;
  /** @throws ApiError('unknown_service' | 'part_of_shop') */
  unwatch(name: string): Promise<void>;
};

export type ApiParts = {
  env: Pick<Environment, 'nowMs'>;
  log: Log;
  store: TelemetryStore;
  /** The store's series, with what was recorded last in front. */
  series: SeriesSource;
  alerting: Pick<Alerting, 'report' | 'silence' | 'endSilence'>;
  targets: Targets;
  feed: LogFeed;
  /** Where OTLP/HTTP is taken in; null where nowhere. */
  otlpPort: number | null;
};

const windowMs = 15 * 60_000;

/** The time that a question is about (W1). @throws ApiError('bad_request') */
export function rangeOf(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  nowMs: number,
): Range {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - windowMs : Date.parse(from);
  if (fromMs >= toMs) {
    throw new ApiError('bad_request', {
      why: `query.from: ${iso(fromMs)} is not before ${iso(toMs)}`,
    });
  }
  if (toMs - fromMs > limits.telemetryRangeMsMax) {
    const days = limits.telemetryRangeMsMax / 86_400_000;
    throw new ApiError('bad_request', { why: `query.from: at most ${days} days are read at once` });
  }
  return { fromMs, toMs };
}

export const inUs = ({ fromMs, toMs }: Range) => ({ fromUs: fromMs * 1000, toUs: toMs * 1000 });

/** A step that gives at most `countMax` points, in whole seconds. */
export function stepMsOf({ fromMs, toMs }: Range, stepS: number | undefined, countMax: number) {
  const leastMs = Math.ceil((toMs - fromMs) / countMax / 1000) * 1000;
  return Math.max(1000, leastMs, (stepS ?? 0) * 1000);
}

/** Numbers that JSON has; others are null. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** A handler whose failures are told as what they are (W2). */
export function telling<A extends unknown[], R>(
  handle: (...given: A) => Promise<R>,
): (...given: A) => Promise<R> {
  return async (...given) => {
    try {
      return await handle(...given);
    } catch (error) {
      throw told(error);
    }
  };
}

function told(error: unknown): unknown {
  const options = { cause: error };
  if (error instanceof LimitError) return new ApiError('too_much', { why: error.message }, options);
  if (error instanceof QueryError || error instanceof SqlRefusedError) {
    return new ApiError('query_refused', { why: error.message }, options);
  }
  if (error instanceof StoreUnavailableError) {
    return new ApiError('unavailable', { part: 'telemetry store', waitS: 5 }, options);
  }
  return error;
}
