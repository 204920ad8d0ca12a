// A dashboard for each process of ours, from one template and the table of metrics: what the table
// says it exposes is what is shown.

import {
  type MetricName,
  type MetricSpec,
  metrics,
  type ProcessName,
  processes,
} from '@rushlight/contracts';
import { type Dashboard, lines, logs, type Panel, query, type Row, type Unit } from './model.ts';
import { anyOf, by, orNone, own, rate } from './promql.ts';
import { processPanels, requestPanels, storePanels } from './shared.ts';

/** Metrics that the fixed rows show; every other one of a process is its own work. */
const inFixedRows: readonly MetricName[] = [
  ...(['http_requests_total', 'http_request_duration_seconds', 'errors_total'] as const),
  ...(['http_client_requests_total', 'http_client_retries_total', 'breaker_state'] as const),
  ...(['bus_messages_published_total', 'bus_messages_consumed_total'] as const),
  ...(['bus_queue_depth', 'bus_queue_oldest_seconds', 'outbox_depth', 'dead_letters'] as const),
  ...(['db_operations_total', 'db_operation_duration_seconds'] as const),
  ...(['postgres_connections', 'postgres_connections_max'] as const),
  ...(['disk_available_bytes', 'disk_size_bytes', 'process_uptime_seconds'] as const),
];

const hasMetric = (service: ProcessName, name: MetricName): boolean =>
  (metrics[name] as MetricSpec).of.includes(service);

function unitOf({ kind, unit }: MetricSpec): Unit {
  if (kind === 'counter') return 'cps';
  if (unit === 'seconds') return 's';
  return unit === 'bytes' ? 'bytes' : 'short';
}

function titleOf(name: MetricName): string {
  const words = name.replace(/_(total|seconds|bytes)$/, '').replaceAll('_', ' ');
  return words.startsWith('jwt ') ? words.replace('jwt', 'JWT') : capital(words);
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** A metric as the table describes it: a rate, a state, or a quantile, by all its labels. */
function panelOf(service: ProcessName, name: MetricName): Panel {
  const spec: MetricSpec = metrics[name];
  const labels = Object.keys(spec.labels);
  const legend = labels.length === 0 ? '{{instance}}' : labels.map((one) => `{{${one}}}`).join(' ');
  const kept = labels.length === 0 ? ['instance'] : labels;
  const series = anyOf(name, { service });
  const tells = `${spec.help} \`${name}\`.`;
  const expr = {
    counter: () => by('sum', kept, rate(series)),
    gauge: () => by('max', kept, series),
    histogram: () =>
      `histogram_quantile(0.95, ${by('sum', ['le', ...kept], rate(anyOf(`${name}_bucket`, { service })))})`,
  }[spec.kind]();
  const title = spec.kind === 'histogram' ? `${titleOf(name)}, p95` : titleOf(name);
  return lines(title, tells, { unit: unitOf(spec), queries: [query(expr, legend)] });
}

function callPanels(service: ProcessName): Panel[] {
  const of = { service };
  return [
    lines(
      'Calls to others',
      'Without an answer ("unknown"): slow, gone, or refused by the breaker.',
      {
        unit: 'cps',
        queries: [
          query(
            by('sum', ['target', 'outcome'], rate(own('http_client_requests_total', of))),
            '{{target}} {{outcome}}',
          ),
        ],
      },
    ),
    lines('Calls tried again', 'A share of the calls at most: retries have a budget.', {
      unit: 'cps',
      queries: [
        query(
          orNone(by('sum', ['target'], rate(own('http_client_retries_total', of)))),
          '{{target}}',
        ),
      ],
    }),
    lines('Breakers of this service', '0 closed, 1 half open, 2 open.', {
      ...{ unit: 'short', bound: { value: 2, wrong: 'above' } },
      queries: [query(by('max', ['target'], own('breaker_state', of)), '{{target}}')],
    }),
  ];
}

/** What comes to the service by the bus, where it has a queue. */
function takenPanels(service: ProcessName): Panel[] {
  const of = { service };
  return [
    lines('Messages taken', 'By topic and what became of them. A message holds many events.', {
      unit: 'cps',
      queries: [
        query(
          by('sum', ['topic', 'outcome'], rate(own('bus_messages_consumed_total', of))),
          '{{topic}} {{outcome}}',
        ),
      ],
    }),
    lines('Its queue', 'Messages that wait, and those that nobody could take.', {
      unit: 'short',
      queries: [
        query(`max(${own('bus_queue_depth', of)})`, 'waiting'),
        query(`max(${own('dead_letters', of)})`, 'dead'),
      ],
    }),
    lines('Age of its oldest message', 'Grows while the service is ill or too slow.', {
      ...{ unit: 's', bound: { value: 20, wrong: 'above' } },
      queries: [query(`max(${own('bus_queue_oldest_seconds', of)})`, 'oldest')],
    }),
  ];
}

/** What goes from it to the bus, where it has an outbox. */
function sentPanels(service: ProcessName): Panel[] {
  const of = { service };
  return [
    lines('Messages sent', 'Confirmed by the bus, by topic.', {
      unit: 'cps',
      queries: [
        query(by('sum', ['topic'], rate(own('bus_messages_published_total', of))), '{{topic}}'),
      ],
    }),
    lines('Its outbox', 'Written, and not yet on the bus.', {
      unit: 'short',
      queries: [query(`max(${own('outbox_depth', of)})`, 'messages')],
    }),
  ];
}

function rowsOf(service: ProcessName): Row[] {
  const work = (Object.keys(metrics) as MetricName[]).filter(
    (name) => hasMetric(service, name) && !inFixedRows.includes(name),
  );
  const selector = `{service="${service}"}`;
  return [
    { title: 'Requests', panels: requestPanels(service) },
    { title: 'Its work', panels: work.map((name) => panelOf(service, name)) },
    {
      title: 'Calls to others',
      panels: processes[service].calls.length > 0 ? callPanels(service) : [],
    },
    {
      title: 'Bus',
      panels: [
        ...(hasMetric(service, 'bus_queue_depth') ? takenPanels(service) : []),
        ...(hasMetric(service, 'outbox_depth') ? sentPanels(service) : []),
      ],
    },
    {
      title: 'Store',
      panels: hasMetric(service, 'db_operations_total') ? storePanels(service) : [],
    },
    { title: 'Process', panels: processPanels(service) },
    {
      title: 'Logs',
      panels: [
        logs('Warnings and errors', 'With the trace of each line where it has one.', {
          ...{ width: 24, logql: `${selector} | json | level=~"warn|error|fatal"` },
        }),
      ],
    },
  ].filter(({ panels }) => panels.length > 0);
}

export function serviceDashboard(service: ProcessName): Dashboard {
  return {
    uid: `rushlight-${service}`,
    title: capital(service),
    tells: processes[service].summary,
    rows: rowsOf(service),
  };
}
