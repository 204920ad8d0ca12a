// Asks every target for its metrics, each at its own interval.
//
// C1. Targets begin at an instant of chance within their interval, so that they do not all come at
//     once. A target is asked again when the last answer is there, never twice at a time.
// C2. Each scrape has a limit of time, bytes and series; redirects are not followed.
// C3. A scrape writes `up`, `scrape_duration_seconds` and `scrape_samples_scraped`, whatever came.
//     Samples above the limit are left out and counted in `scrape_samples_refused`.
//     A target that starts together with us (`startsWithinS`) is asked every second until then, and
//     not called down before.
// C4. A series that the target showed the last time and does not show now is ended by a stale sample
//     (M4 of ../model.ts): all of them when the target is down or taken off the list.
//
// Names of labels are as with Prometheus: `job` and `instance` unless the target says otherwise; a
// label that both have is `exported_…` in the sample, unless the target's word counts (honorLabels).

import type { Environment, Log } from '@rushlight/chassis';
import type { Labels, Sample } from '../model.ts';
import type { TelemetryIntake } from '../store/face.ts';
import { checkTargetUrl } from './addresses.ts';
import { type ExposedSample, seriesKey } from './exposition.ts';
import { createFetcher, type FetchMetrics } from './fetch-metrics.ts';

export type ScrapeTarget = {
  /** The `job`, unless `labels` name one. Unique. */
  name: string;
  url: string;
  intervalS: number;
  /** So long it may take to answer for the first time; 0 unless given. */
  startsWithinS?: number;
  /** Added to every sample. */
  labels?: Labels;
  /** Labels of the sample win over those of the target; for targets that one trusts. */
  honorLabels?: boolean;
};

export type ScrapeState = {
  target: ScrapeTarget;
  status: 'waiting' | 'up' | 'down';
  /** Why it is down. */
  why?: string;
  lastAtMs?: number;
  durationMs?: number;
  samples: number;
  /** Above the limit of series, since the start. */
  samplesRefused: number;
};

export type ScrapeLimits = {
  bodyBytesMax: number;
  seriesMax: number;
  durationMsMax: number;
  targetsMax: number;
};

export type ScraperOptions = {
  intake: Pick<TelemetryIntake, 'samples'>;
  env: Environment;
  log: Log;
  /** Also addresses that are not public; loopback is always allowed. */
  allowPrivateAddresses: boolean;
  limits?: Partial<ScrapeLimits>;
  /** Told of every scrape, and how many of its samples were above the limit. */
  onScrape?: ((result: Outcome['kind'], refused: number) => void) | undefined;
};

export const scrapeLimits: ScrapeLimits = {
  bodyBytesMax: 16 * 1024 * 1024,
  seriesMax: 10_000,
  durationMsMax: 10_000,
  targetsMax: 200,
};

const startingEveryMs = 1_000;

/** An instant of an exposition that lies further ahead is not believed. */
const futureMsMax = 600_000;

export class Scraper implements AsyncDisposable {
  readonly #options: ScraperOptions;
  readonly #limits: ScrapeLimits;
  readonly #fetcher: FetchMetrics & AsyncDisposable;
  readonly #running = new Map<string, Running>();

  constructor(options: ScraperOptions) {
    this.#options = options;
    this.#limits = { ...scrapeLimits, ...options.limits };
    this.#fetcher = createFetcher(options.allowPrivateAddresses);
  }

  /**
   * Begins to watch it, instead of one of the same name if there is.
   *
   * @throws AddressError for a URL that may not be scraped, RangeError for one target too many
   */
  add(target: ScrapeTarget): void {
    checkTargetUrl(target.url, this.#options.allowPrivateAddresses);
    if (!(target.intervalS >= 1 && target.intervalS <= 3_600)) {
      throw new RangeError(`An interval of ${target.intervalS} s is not from 1 to 3,600 s.`);
    }
    const isNew = !this.#running.has(target.name);
    if (isNew && this.#running.size >= this.#limits.targetsMax) {
      throw new RangeError(`There are ${this.#limits.targetsMax} targets, and no more may be.`);
    }
    this.remove(target.name);
    const running = new Running(target, this.#options, this.#limits, this.#fetcher);
    this.#running.set(target.name, running);
    running.start();
  }

  /** @returns whether there was one */
  remove(name: string): boolean {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    running.stop();
    running.endSeries();
    return this.#running.delete(name);
  }

  targets(): ScrapeState[] {
    return [...this.#running.values()].map((running) => running.state());
  }

  /** Series are not ended: the next start goes on with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.values()) running.stop();
    await this.#fetcher[Symbol.asyncDispose]();
  }
}

type Outcome =
  | { kind: 'up'; samples: readonly ExposedSample[]; durationMs: number }
  | { kind: 'down'; why: string; durationMs: number };

class Running {
  readonly #target: ScrapeTarget;
  readonly #options: ScraperOptions;
  readonly #limits: ScrapeLimits;
  readonly #fetcher: FetchMetrics;
  readonly #targetLabels: Labels;
  readonly #stopping = new AbortController();
  #state: Omit<ScrapeState, 'target'> = { status: 'waiting', samples: 0, samplesRefused: 0 };
  #shown = new Map<string, Pick<Sample, 'name' | 'labels'>>();
  #cancel: () => void = () => undefined;
  readonly #addedMs: number;

  constructor(
    target: ScrapeTarget,
    options: ScraperOptions,
    limits: ScrapeLimits,
    fetcher: FetchMetrics,
  ) {
    this.#target = target;
    this.#options = options;
    this.#limits = limits;
    this.#fetcher = fetcher;
    this.#addedMs = options.env.monotonicMs();
    const instance = new URL(target.url).host;
    this.#targetLabels = { job: target.name, instance, ...target.labels };
  }

  /** C1 */
  start(): void {
    const { env } = this.#options;
    this.#schedule(env.random() * this.#target.intervalS * 1_000);
  }

  stop(): void {
    this.#stopping.abort(new Error('The target is no longer watched.'));
    this.#cancel();
  }

  state(): ScrapeState {
    return { target: this.#target, ...this.#state };
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.env.after(delayMs, () => {
      void this.#scrape();
    });
  }

  /** Never rejects: what goes wrong is the state of the target. */
  async #scrape(): Promise<void> {
    const { env } = this.#options;
    const startMs = env.monotonicMs();
    const atMs = env.nowMs();
    const outcome = await this.#ask(startMs);
    if (this.#stopping.signal.aborted) return;
    if (outcome.kind === 'down' && this.#isStarting()) {
      this.#schedule(startingEveryMs);
      return;
    }
    this.#take(outcome, atMs);
    const intervalMs = this.#target.intervalS * 1_000;
    const tookMs = env.monotonicMs() - startMs;
    this.#schedule(intervalMs - (tookMs % intervalMs));
  }

  #isStarting(): boolean {
    const { startsWithinS = 0 } = this.#target;
    const isNew = this.#state.status === 'waiting';
    return isNew && this.#options.env.monotonicMs() - this.#addedMs < startsWithinS * 1_000;
  }

  async #ask(startMs: number): Promise<Outcome> {
    const { env } = this.#options;
    const durationMsMax = Math.min(this.#limits.durationMsMax, this.#target.intervalS * 1_000);
    const late = new AbortController();
    const cancel = env.after(durationMsMax, () => {
      late.abort(new Error(`It did not answer within ${durationMsMax} ms.`));
    });
    try {
      const samples = await this.#fetcher(this.#target.url, {
        signal: AbortSignal.any([late.signal, this.#stopping.signal]),
        bodyBytesMax: this.#limits.bodyBytesMax,
      });
      return { kind: 'up', samples, durationMs: env.monotonicMs() - startMs };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'down', why, durationMs: env.monotonicMs() - startMs };
    } finally {
      cancel();
    }
  }

  #take(outcome: Outcome, atMs: number): void {
    const exposed = outcome.kind === 'up' ? outcome.samples : [];
    const kept = exposed.slice(0, this.#limits.seriesMax);
    const samples = kept.map((sample) => this.#sampleOf(sample, atMs));
    this.#tellChange(outcome);
    const refused = exposed.length - kept.length;
    this.#options.onScrape?.(outcome.kind, refused);
    this.#state = {
      status: outcome.kind,
      ...(outcome.kind === 'down' ? { why: outcome.why } : {}),
      lastAtMs: atMs,
      durationMs: outcome.durationMs,
      samples: kept.length,
      samplesRefused: this.#state.samplesRefused + refused,
    };
    const own = {
      up: outcome.kind === 'up' ? 1 : 0,
      scrape_duration_seconds: outcome.durationMs / 1_000,
      scrape_samples_scraped: exposed.length,
      scrape_samples_refused: refused,
    };
    const about = Object.entries(own).map(([name, value]) => this.#own(name, value, atMs));
    this.#options.intake.samples([...samples, ...this.#ended(samples, atMs), ...about]);
  }

  /** C4, for a target that is taken off the list. */
  endSeries(): void {
    const atMs = this.#options.env.nowMs();
    const ended = this.#ended([], atMs);
    const isKnown = this.#state.lastAtMs !== undefined;
    const own = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped'].concat(
      'scrape_samples_refused',
    );
    const stale = isKnown ? own.map((name) => endOf(this.#own(name, 0, atMs), atMs)) : [];
    this.#options.intake.samples([...ended, ...stale]);
  }

  /** C4. A sample that has an instant of its own says itself until when it holds. */
  #ended(samples: readonly Sample[], atMs: number): Sample[] {
    const shown = new Map<string, Pick<Sample, 'name' | 'labels'>>();
    for (const { name, labels, atMs: sampledAtMs } of samples) {
      if (sampledAtMs === atMs) shown.set(seriesKey(name, labels), { name, labels });
    }
    const ended = [...this.#shown].filter(([key]) => !shown.has(key));
    this.#shown = shown;
    return ended.map(([, series]) => endOf(series, atMs));
  }

  #sampleOf(exposed: ExposedSample, atMs: number): Sample {
    const { name, value, exemplar } = exposed;
    const isPast = exposed.atMs !== undefined && exposed.atMs <= atMs + futureMsMax;
    const labels = mergedLabels(exposed.labels, this.#targetLabels, this.#target.honorLabels);
    const traceId = exemplar?.labels['trace_id'] ?? exemplar?.labels['traceID'];
    return {
      name,
      labels,
      atMs: isPast ? (exposed.atMs ?? atMs) : atMs,
      value,
      ...(exemplar && traceId !== undefined
        ? { exemplar: { traceId, value: exemplar.value, atMs: exemplar.atMs ?? atMs } }
        : {}),
    };
  }

  #own(name: string, value: number, atMs: number): Sample {
    return { name, labels: this.#targetLabels, atMs, value };
  }

  #tellChange(outcome: Outcome): void {
    if (outcome.kind === this.#state.status) return;
    const { name, url } = this.#target;
    const { log } = this.#options;
    if (outcome.kind === 'down') log.warn({ name, url, why: outcome.why }, 'a target is down');
    else log.info({ name, url }, 'a target is up');
  }
}

function endOf({ name, labels }: Pick<Sample, 'name' | 'labels'>, atMs: number): Sample {
  return { name, labels, atMs, value: Number.NaN, stale: true };
}

function mergedLabels(own: Labels, target: Labels, honorLabels = false): Labels {
  if (honorLabels) return { ...target, ...own };
  const merged: Record<string, string> = {};
  for (const [label, value] of Object.entries(own)) {
    merged[Object.hasOwn(target, label) ? `exported_${label}` : label] = value;
  }
  return { ...merged, ...target };
}
