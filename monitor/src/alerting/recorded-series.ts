// What the recording rules gave last, for the rules that use it: as in Prometheus a rule sees what
// those before it recorded, whether or not the store has written it down yet.
//
// V1. An answer replaces the one before it. A series that is missing from it is gone at once, like
//     one with Prometheus' staleness marker.
// V2. Only what looks back for one value (`lookbackMs`) is answered from here; a longer range is
//     the store's.

import type { Labels, Matcher, Range, Sample, Series, SeriesSource } from '../model.ts';
import { lookbackMs } from '../promql/loaded-series.ts';
import { matchLabels } from '../promql/matchers.ts';
import type { RecordingRule } from '../rule-types.ts';
import { alertKey } from './alert-state.ts';

type Recorded = { name: string; samples: Sample[] };

export class RecordedSeries {
  readonly #byRule = new Map<RecordingRule, Recorded>();

  /** Takes the answer of a rule. Returns it as samples, to be written down; with what ended (V1). */
  put(
    rule: RecordingRule,
    answer: readonly { labels: Labels; value: number }[],
    atMs: number,
  ): Sample[] {
    const samples = answer.map(({ labels: { __name__: _, ...labels }, value }) => ({
      name: rule.record,
      labels: { ...labels, ...rule.labels },
      atMs,
      value,
    }));
    const before = this.#byRule.get(rule)?.samples ?? [];
    const left = new Set(samples.map(({ labels }) => alertKey(labels)));
    const ended = before
      .filter(({ labels }) => !left.has(alertKey(labels)))
      .map((sample) => ({ ...sample, atMs, value: Number.NaN, stale: true as const }));
    this.#byRule.set(rule, { name: rule.record, samples });
    return [...samples, ...ended];
  }

  /** The store, with what was recorded last in front of it. */
  over(store: SeriesSource): SeriesSource {
    return {
      select: (matchers, range, signal) => {
        const kept = this.#find(matchers, range);
        return kept === undefined ? store.select(matchers, range, signal) : Promise.resolve(kept);
      },
      labelSets: (matchers, range, signal) => {
        const kept = this.#find(matchers, range);
        return kept === undefined
          ? store.labelSets(matchers, range, signal)
          : Promise.resolve(kept.map(({ labels }) => labels));
      },
    };
  }

  /** Undefined when it is for the store to answer. */
  #find(matchers: readonly Matcher[], { fromMs, toMs }: Range): Series[] | undefined {
    const name = matchers.find(({ label, operator }) => label === '__name__' && operator === '=');
    if (name === undefined || toMs - fromMs > lookbackMs) return undefined;
    const named = [...this.#byRule.values()].filter((recorded) => recorded.name === name.value);
    if (named.length === 0) return undefined;
    const matches = matchLabels(matchers);
    return named
      .flatMap(({ samples }) => samples)
      .map(seriesOf)
      .filter(({ labels, atMs: [atMs = 0] }) => atMs >= fromMs && atMs <= toMs && matches(labels));
  }
}

function seriesOf({ name, labels, atMs, value }: Sample): Series {
  return {
    labels: { ...labels, __name__: name },
    atMs: Float64Array.of(atMs),
    values: Float64Array.of(value),
  };
}
