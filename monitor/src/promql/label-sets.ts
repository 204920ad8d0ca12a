// Label sets of one evaluation.
//
// L1. Two label sets of one table are equal exactly when they are the same object: what is compared
//     at each step is identity, and every derived set is made once.
// L2. A label with the value "" is a label that is not there.

import type { Labels } from '../model.ts';

export const metricName = '__name__';

export type LabelSet = {
  /** Names ascend. */
  readonly labels: Labels;
  readonly key: string;
};

export class LabelTable {
  readonly #sets = new Map<string, LabelSet>();
  readonly empty: LabelSet = this.of({});

  of(labels: Labels): LabelSet {
    const entries = Object.entries(labels)
      .filter(([, value]) => value !== '')
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify(entries);
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const set: LabelSet = { labels: Object.fromEntries(entries), key };
    this.#sets.set(key, set);
    return set;
  }

  /** A function of label sets that remembers what it gave. */
  derive(change: (labels: Labels) => Labels): (set: LabelSet) => LabelSet {
    const known = new Map<LabelSet, LabelSet>();
    return (set) => {
      const before = known.get(set);
      if (before !== undefined) return before;
      const derived = this.of(change(set.labels));
      known.set(set, derived);
      return derived;
    };
  }

  keeping(names: readonly string[]): (set: LabelSet) => LabelSet {
    return this.derive((labels) => keep(labels, names));
  }

  without(names: readonly string[]): (set: LabelSet) => LabelSet {
    return this.derive((labels) => drop(labels, names));
  }
}

/** The value of a label, "" where it is absent: also for names that every object answers to. */
export function labelValue(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

export function keep(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)));
}

export function drop(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

/** `{a="b", c="d"}`, for sentences. */
export function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}

/** Order of label sets: name by name, value by value, as Prometheus sorts series. */
export function compareLabels(a: Labels, b: Labels): number {
  const left = Object.entries(a).flat();
  const right = Object.entries(b).flat();
  for (let index = 0; index < left.length && index < right.length; index++) {
    const [x, y] = [left[index] ?? '', right[index] ?? ''];
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
