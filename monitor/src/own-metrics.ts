// What the monitor tells of itself at its own /metrics: what it took in, refused, wrote and lost.

import type { Metrics } from '@rushlight/chassis';
import type { ReceiverOptions } from './otlp/receiver.ts';
import type { ScraperOptions } from './scrape/scraper.ts';
import {
  type StoreState,
  type TelemetryIntake,
  type TelemetryKind,
  type TelemetryStore,
  telemetryKinds,
} from './store/face.ts';

export type Source = 'otlp' | 'scrape' | 'files' | 'rules';

/** The same intake; what goes in is counted. */
export function countedIntake(
  intake: TelemetryIntake,
  metrics: Pick<Metrics, 'counter'>,
  source: Source,
): TelemetryIntake {
  const [spans, logs, samples] = (['spans', 'logs', 'samples'] as const).map((signal) =>
    metrics.counter('monitor_records_taken_total', { signal, source }),
  );
  return {
    spans: (records) => {
      spans?.inc(records.length);
      intake.spans(records);
    },
    logs: (records) => {
      logs?.inc(records.length);
      intake.logs(records);
    },
    samples: (records) => {
      samples?.inc(records.length);
      intake.samples(records);
    },
  };
}

export function countRequests(metrics: Pick<Metrics, 'count'>): ReceiverOptions['onRequest'] {
  return (signal, result, refused) => {
    metrics.count('monitor_otlp_requests_total', { signal, result });
    metrics.count('monitor_records_refused_total', { signal, reason: 'malformed' }, refused);
  };
}

export function countScrapes(metrics: Pick<Metrics, 'count'>): ScraperOptions['onScrape'] {
  return (result, refused) => {
    metrics.count('monitor_scrapes_total', { result });
    const beyond = { signal: 'samples', reason: 'target_series' } as const;
    metrics.count('monitor_records_refused_total', beyond, refused);
  };
}

/** Reads at each scrape what the store has counted since the last one. */
export function watchStore(
  store: Pick<TelemetryStore, 'state'>,
  metrics: Pick<Metrics, 'count' | 'set' | 'onScrape'>,
): void {
  const nothing: Record<TelemetryKind, number> = { spans: 0, logs: 0, samples: 0 };
  let told: Pick<StoreState, 'written' | 'dropped' | 'seriesRefused'> = {
    written: nothing,
    dropped: nothing,
    seriesRefused: 0,
  };
  metrics.onScrape(() => {
    const state = store.state();
    for (const signal of telemetryKinds) {
      const written = state.written[signal] - told.written[signal];
      const dropped = state.dropped[signal] - told.dropped[signal];
      metrics.count('monitor_records_written_total', { signal }, written);
      metrics.count('monitor_records_dropped_total', { signal }, dropped);
    }
    const beyond = { signal: 'samples', reason: 'store_series' } as const;
    const refused = state.seriesRefused - told.seriesRefused;
    metrics.count('monitor_records_refused_total', beyond, refused);
    told = state;
    metrics.set('monitor_records_waiting', {}, state.waiting);
    metrics.set('monitor_store_bytes', {}, state.fileBytes);
    metrics.set('monitor_store_up', {}, state.status === 'open' ? 1 : 0);
    metrics.set('monitor_series', {}, state.series);
  });
}
