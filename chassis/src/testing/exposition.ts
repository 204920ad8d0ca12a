// Holds what a running service exposes against the table of metrics.

import { METHODS } from 'node:http';
import * as contracts from '@rushlight/contracts';
import {
  type LabelKind,
  type MetricSpec,
  type ProcessName,
  type Route,
  runtimeMetrics,
} from '@rushlight/contracts';
import type { User } from '../http/principal.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import type { TestService } from './start-service.ts';

export type ExposedSeries = { name: string; labels: Record<string, string>; value: number };

export type Exposed = {
  /** By name: what HELP and TYPE say. */
  families: Map<string, { help: string; kind: string }>;
  series: ExposedSeries[];
  text: string;
};

const table: Readonly<Record<string, MetricSpec>> = contracts.metrics;
const admin: User = {
  ...({ kind: 'user', studentId: 'admin', role: 'admin', tokenId: 't' } as const),
  ...{ issuedAtS: 0, expiresAtS: 9_999_999_999 },
};
/** On every series: who says it. */
const ownLabels = ['service', 'instance'];

/** What `/metrics` of this service says now. */
export async function readMetrics(url: string): Promise<Exposed> {
  const response = await fetch(new URL('/metrics', url));
  return readExposition(await response.text());
}

export function readExposition(text: string): Exposed {
  const families: Exposed['families'] = new Map();
  const series: ExposedSeries[] = [];
  for (const line of text.split('\n')) {
    const said = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (said) {
      const [, word, name = '', rest = ''] = said;
      const family = families.get(name) ?? { help: '', kind: '' };
      families.set(name, word === 'HELP' ? { ...family, help: rest } : { ...family, kind: rest });
      continue;
    }
    const [, name, inside = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const pairs = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const labels = Object.fromEntries(pairs.map(([, label, quoted]) => [label, quoted]));
    series.push({ name, labels, value: Number(value) });
  }
  return { families, series, text };
}

/** The sum of the series of this name that have these labels. */
export function sumOf(
  { series }: Exposed,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels);
  return series
    .filter((one) => one.name === name)
    .filter((one) => wanted.every(([label, value]) => one.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Metrics of a service without its process, and what a scrape would read of them. */
export function metricsUnderTest(service: ProcessName): {
  metrics: Metrics;
  sum(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
} {
  const metrics = createMetrics({ service, instance: 'test' });
  return {
    metrics,
    sum: async (name, labels) => sumOf(readExposition((await metrics.expose()).text), name, labels),
  };
}

/** Sends what no honest client sends, to every route there is; the returned word was in all of it. */
export async function provoke(service: TestService): Promise<string> {
  const word = `zz${Math.random().toString(36).slice(2)}`;
  const body = { studentId: word, password: word, itemId: word, lines: [word], q: word };
  const headers = { 'idempotency-key': word, traceparent: word, 'user-agent': word };
  const client = service.as();
  for (const route of allRoutes().filter(({ stream }) => stream !== true)) {
    const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
    const params = Object.fromEntries(names.map((name) => [name, word]));
    const query = { q: word, cursor: word, after: word, category: word };
    const call = { params, query, headers, ...(route.method === 'GET' ? {} : { body }) };
    await client.forward(route, call, { user: admin }).catch(() => undefined);
  }
  const raw = { ...headers, 'content-type': 'application/json', authorization: `Bearer ${word}` };
  const paths = [`/${word}`, `/api/v1/${word}?${word}=${word}`, `/%22%0a${word}`, '/api/v1/menu'];
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'PROPFIND']) {
      const bytes = method === 'GET' || method === 'PROPFIND' ? {} : { body: `{${word}` };
      const options = { method, headers: raw, ...bytes, signal: AbortSignal.timeout(10_000) };
      await fetch(new URL(path, service.url), options)
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
    }
  }
  return word;
}

/** How this exposition differs from what the table says of the service; nothing when it does not. */
export function differences(service: ProcessName, { families, series }: Exposed): string[] {
  const found: string[] = [];
  const expected = { ...ofService(service), ...runtimeMetrics };
  for (const [name, { help, kind, ...spec }] of Object.entries(expected)) {
    const family = families.get(name);
    const isElsewhere = 'linuxOnly' in spec && process.platform !== 'linux';
    if (!family && !isElsewhere) found.push(`${name} is missing`);
    if (family && family.help !== help) found.push(`${name} says "${family.help}"`);
    if (family && family.kind !== kind) found.push(`${name} is a ${family.kind}`);
  }
  for (const name of families.keys()) {
    if (!Object.hasOwn(expected, name)) found.push(`${name} is not in the table`);
  }
  const items = new Set(
    series.flatMap(({ name, labels }) => (name === 'inventory_stock' ? [labels['item']] : [])),
  );
  for (const one of series) found.push(...wrongLabels(one, items));
  return [...found, ...missingZeros(service, series)];
}

function ofService(service: ProcessName): Record<string, MetricSpec> {
  return Object.fromEntries(Object.entries(table).filter(([, { of }]) => of.includes(service)));
}

function wrongLabels({ name, labels }: ExposedSeries, items: ReadonlySet<unknown>): string[] {
  const base = [name, name.replace(/_(bucket|sum|count)$/, '')].find((one) => table[one]);
  const spec = base === undefined ? undefined : table[base];
  if (!spec) return [];
  const given = Object.keys(labels).filter((label) => label !== 'le' && !ownLabels.includes(label));
  const wanted = Object.keys(spec.labels);
  if (given.sort().join() !== wanted.sort().join()) return [`${name} has labels ${given}`];
  return given.flatMap((label) => {
    const [values, value] = [spec.labels[label] ?? [], labels[label] ?? ''];
    const isGood =
      typeof values === 'string' ? isOfKind(values, value, items) : values.includes(value);
    return isGood ? [] : [`${name} has ${label}="${value}"`];
  });
}

/** Counters whose labels are lists stand there from the start. */
function missingZeros(service: ProcessName, series: readonly ExposedSeries[]): string[] {
  return Object.entries(ofService(service)).flatMap(([name, { kind, labels }]) => {
    const lists = Object.values(labels);
    if (kind !== 'counter' || lists.some((values) => typeof values === 'string')) return [];
    const count = lists.reduce((product, values) => product * values.length, 1);
    const shown = series.filter((one) => one.name === name).length;
    return shown === count ? [] : [`${name} has ${shown} series instead of ${count}`];
  });
}

function isOfKind(kind: LabelKind, value: string, items: ReadonlySet<unknown>): boolean {
  switch (kind) {
    case 'method':
      return METHODS.includes(value);
    case 'route':
      return value === 'other' || allRoutes().some(({ path }) => path === value);
    case 'status':
      return /^[2-5]\d\d$/.test(value);
    case 'code':
      return Object.hasOwn(contracts.errors, value);
    case 'item':
      return items.has(value);
    case 'topic':
      return Object.hasOwn(contracts.topics, value);
    case 'queue':
      return Object.hasOwn(contracts.queues, value);
    case 'process':
      return value === 'launcher' || Object.hasOwn(contracts.processes, value);
    case 'operation':
      return /^[a-zA-Z_]{1,40}$/.test(value);
  }
}

/** All routes that the contracts know. */
function allRoutes(): Route[] {
  return Object.values<unknown>(contracts)
    .filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null)
    .flatMap((one) => Object.values(one))
    .filter((one) => typeof one === 'object' && one !== null && 'method' in one && 'path' in one)
    .map((one) => one as Route);
}
