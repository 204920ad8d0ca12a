// The query languages over HTTP: what the monitor's server mounts.

import type { SeriesSource } from '../model.ts';
import { type PrometheusApi, prometheusApi } from './http.ts';

export type QueryApi = { prometheus: PrometheusApi };

export function createQueryApi(sources: { series: SeriesSource; nowMs: () => number }): QueryApi {
  return { prometheus: prometheusApi(sources.series, sources.nowMs) };
}
