// What a metric is: the words in which the table of telemetry.ts is written.

import type { ProcessName } from './services.ts';

/** Values of labels that are no list of this table, and what bounds them. */
export const labelKinds = {
  method: 'a method of HTTP',
  route: 'the path of a route with its parameters as names, or `other`',
  status: 'a status of HTTP',
  code: 'a code of `contracts/src/errors.ts`',
  item: 'an item that is or was on the menu',
  topic: 'a topic of `contracts/src/events.ts`',
  queue: 'a service with a queue',
  process: 'a service, or the launcher',
  operation: 'a named operation of the store',
} as const;
export type LabelKind = keyof typeof labelKinds;
export type LabelValues = LabelKind | readonly string[];

export type MetricSpec = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Who exposes it. */
  readonly of: readonly ProcessName[];
  readonly buckets?: readonly number[];
};

export const seconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
export const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500] as const;

type Labels = MetricSpec['labels'];
export type Of = readonly ProcessName[];

export function counter<const L extends Labels>(of: Of, unit: string, help: string, labels: L) {
  return { kind: 'counter', of, unit, help, labels } as const;
}

export function gauge<const L extends Labels>(of: Of, unit: string, help: string, labels: L) {
  return { kind: 'gauge', of, unit, help, labels } as const;
}

export function histogram<const L extends Labels, const B extends readonly number[]>(
  of: Of,
  { unit, buckets }: { unit: string; buckets: B },
  help: string,
  labels: L,
) {
  return { kind: 'histogram', of, unit, help, labels, buckets } as const;
}
