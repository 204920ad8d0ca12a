// The query languages over HTTP: what the monitor's server mounts.

import { type LokiApi, lokiApi } from '../logql/http.ts';
import type { LogSource, SeriesSource } from '../model.ts';
import { type PrometheusApi, prometheusApi } from './http.ts';

export type QueryApi = { prometheus: PrometheusApi; loki: LokiApi };

/** @param sources `nowMs` is for questions that name no time */
export function createQueryApi(sources: {
  series: SeriesSource;
  logs: LogSource;
  nowMs: () => number;
}): QueryApi {
  const { series, logs, nowMs } = sources;
  return { prometheus: prometheusApi(series, nowMs), loki: lokiApi(logs, nowMs) };
}
