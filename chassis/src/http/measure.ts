// How many requests were answered, with what and how fast.
//
// Counted here and handed over at each scrape: to find a series by its labels at each request would
// cost as much as to route it.

import type { Series } from '../histogram.ts';
import type { Metrics } from '../metrics.ts';
import type { Span } from '../tracing/span.ts';

type Answers = { durations: Series; byStatus: Map<number, number> };

export type MeasureAnswer = (
  method: string,
  route: string,
  status: number,
  durationS: number,
  /** Its trace is an example of such an answer, if it is kept. */
  span?: Span,
) => void;

export function measureAnswers(metrics: Metrics): MeasureAnswer {
  const byRoute = new Map<string, Map<string, Answers>>();

  metrics.onScrape(() => {
    for (const [route, byMethod] of byRoute) {
      for (const [method, { byStatus }] of byMethod) {
        for (const [status, count] of byStatus) {
          metrics.count('http_requests_total', { method, route, status: String(status) }, count);
        }
        byStatus.clear();
      }
    }
  });
  const firstAnswers = (method: string, route: string): Answers => {
    const durations = metrics.series('http_request_duration_seconds', { method, route });
    const made: Answers = { durations, byStatus: new Map() };
    const byMethod = byRoute.get(route) ?? new Map<string, Answers>();
    byRoute.set(route, byMethod.set(method, made));
    return made;
  };
  return (method, route, status, durationS, span) => {
    const answers = byRoute.get(route)?.get(method) ?? firstAnswers(method, route);
    answers.durations.observe(durationS, span?.sampled ? span.traceId : undefined);
    answers.byStatus.set(status, (answers.byStatus.get(status) ?? 0) + 1);
  };
}
