// A quarter of an hour in which everything of the tables has happened: every metric with every value
// that its labels may take, those that others write, and what the rules record of them.

import {
  type LabelKind,
  type LabelValues,
  type MetricSpec,
  metrics,
  processNames,
  publicApi,
  serviceNames,
} from '@rushlight/contracts';
import { evaluateInstant } from '@rushlight/monitor';
import { recordingRules } from '@rushlight/monitor/rules';
import { everyMs, type MemorySeries, memorySeries } from '@rushlight/monitor/testing';
import { foreignMetrics } from '../src/index.ts';

type Labels = Record<string, string>;

const stepMs = 15_000;
const steps = 60;

const examples: Readonly<Record<LabelKind, readonly string[]>> = {
  method: ['POST'],
  route: [publicApi.placeOrder.path],
  status: ['201', '503'],
  code: ['sold_out'],
  item: ['plov'],
  topic: ['order.paid'],
  queue: serviceNames,
  process: ['orders', 'inventory'],
  operation: ['accept'],
};
const valuesOf = (values: LabelValues): readonly string[] =>
  typeof values === 'string' ? examples[values] : values;

function combinations(labels: MetricSpec['labels']): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (made, [label, values]) =>
      made.flatMap((one) => valuesOf(values).map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

function series(name: string, labels: Labels, byStep: number): MemorySeries {
  const values = Array.from({ length: steps }, (_, step) => 1 + step * byStep);
  return { labels: { __name__: name, ...labels }, samples: everyMs(stepMs, values) };
}

function ownSeries(name: string, spec: MetricSpec): MemorySeries[] {
  return spec.of.flatMap((service) =>
    combinations(spec.labels).flatMap((labels) =>
      exposed(name, spec, { ...labels, service, instance: `${service}-1` }),
    ),
  );
}

function exposed(name: string, { kind, buckets = [] }: MetricSpec, labels: Labels): MemorySeries[] {
  switch (kind) {
    case 'counter':
      return [series(name, labels, 3)];
    case 'gauge':
      return [series(name, labels, 0)];
    case 'histogram':
      return [
        ...buckets.map((le) => series(`${name}_bucket`, { ...labels, le: String(le) }, 2)),
        series(`${name}_bucket`, { ...labels, le: '+Inf' }, 3),
        series(`${name}_sum`, labels, 1),
        series(`${name}_count`, labels, 3),
      ];
  }
}

/** Labels on which dashboards choose. */
const foreignLabels: Labels = {
  ...{ mode: 'idle', device: 'sda', fstype: 'ext4', mountpoint: '/' },
  ...{ namespace: 'rushlight', pod: 'orders-1', container: 'process', phase: 'Pending' },
  ...{ condition: 'Ready', status: 'false' },
  ...{ name: 'shop', datname: 'orders', alertname: 'HighCPU', alertstate: 'firing' },
};

function foreignSeries(): MemorySeries[] {
  const { prometheus, node, ...exporters } = foreignMetrics;
  const ofProcesses = [...prometheus, ...node].flatMap((name) =>
    processNames.map((service) =>
      series(name, { ...foreignLabels, service, instance: `${service}-1` }, 0.1),
    ),
  );
  const ofExporters = Object.entries(exporters).flatMap(([service, names]) =>
    names.flatMap((name) =>
      ['cpu', 'memory'].map((resource) =>
        series(name, { ...foreignLabels, service, instance: service, resource }, 0.1),
      ),
    ),
  );
  return [...ofProcesses, ...ofExporters];
}

export async function tellingSeries() {
  const own = Object.entries<MetricSpec>(metrics).flatMap(([name, spec]) => ownSeries(name, spec));
  const all = [...own, ...foreignSeries()];
  const atMs = (steps - 1) * stepMs;
  for (const { record, expr, labels } of recordingRules) {
    const answer = await evaluateInstant(expr, atMs, memorySeries(all));
    for (const sample of answer) {
      const { __name__: _, ...others } = sample.labels;
      all.push({
        labels: { ...others, ...labels, __name__: record },
        samples: [[atMs, sample.value]],
      });
    }
  }
  return { source: memorySeries(all), atMs };
}
