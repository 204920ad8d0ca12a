// Panels that more than one dashboard shows.

import { type Bound, lines, type Panel, type Query, query } from './model.ts';
import { by, foreign, orNone, own, quantile, rate } from './promql.ts';

/** Beyond it a student presses again. */
export const answerSMax: Bound = { value: 1, wrong: 'above' };

/** A stream stays open for minutes; it is not a slow request. */
const noStream = { route: { not: /.*\/(events|tail)/ } };

const quantiles = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

/** Three lines, with the traces behind them. */
export function latencyOf(service: string): Query[] {
  return quantiles.map(([legend, of]) => ({
    expr: quantile(of, 'http_request_duration_seconds', { service, ...noStream }),
    legend,
    exemplars: legend === 'p99',
  }));
}

/** What every process of ours shows: its work, its errors, and what it uses. */
export function processPanels(service: string): Panel[] {
  const of = { service };
  return [
    lines(
      'Processor time',
      'Cores in use by each process. JavaScript runs on one: at 1 it is full.',
      {
        unit: 'percentunit',
        bound: { value: 0.9, wrong: 'above' },
        queries: [query(rate(foreign('process_cpu_seconds_total', of)), '{{instance}}')],
      },
    ),
    lines('Memory', 'Held by each process, and how much of it is objects of JavaScript.', {
      unit: 'bytes',
      queries: [
        query(foreign('process_resident_memory_bytes', of), '{{instance}} held'),
        query(foreign('nodejs_heap_size_used_bytes', of), '{{instance}} heap'),
      ],
    }),
    lines(
      'Delay of the event loop',
      'Its slowest turns (p99). Every request of the process waits that long.',
      {
        unit: 's',
        bound: { value: 0.25, wrong: 'above' },
        queries: [query(foreign('nodejs_eventloop_lag_p99_seconds', of), '{{instance}}')],
      },
    ),
    lines('Time since the start', 'A saw tooth is a process that dies and is started again.', {
      unit: 'dtdurations',
      queries: [query(own('process_uptime_seconds', of), '{{instance}}')],
    }),
  ];
}

/** What is asked of the service over HTTP. */
export function requestPanels(service: string): Panel[] {
  const of = { service };
  return [
    lines('Requests', 'Answered a second, by status.', {
      unit: 'cps',
      stacked: true,
      queries: [query(by('sum', ['status'], rate(own('http_requests_total', of))), '{{status}}')],
    }),
    lines(
      'Latency',
      'Time to the last byte, event streams left out. The dots are traces: click one.',
      {
        unit: 's',
        bound: answerSMax,
        queries: latencyOf(service),
      },
    ),
    lines('Slowest routes', 'p95 of each route: where the latency comes from.', {
      unit: 's',
      queries: [
        query(
          quantile(0.95, 'http_request_duration_seconds', { ...of, ...noStream }, ['route']),
          '{{route}}',
        ),
      ],
    }),
    lines('Errors', 'Problems answered or logged a second, by their stable code.', {
      unit: 'cps',
      queries: [query(orNone(by('sum', ['code'], rate(own('errors_total', of)))), '{{code}}')],
    }),
  ];
}

/** The store of a service that has one. */
export function storePanels(service: string): Panel[] {
  const of = { service };
  return [
    lines('Store operations', 'A second, by operation.', {
      unit: 'cps',
      queries: [
        query(by('sum', ['operation'], rate(own('db_operations_total', of))), '{{operation}}'),
      ],
    }),
    lines(
      'Time of store operations',
      'p95, from the call to the commit, waiting for a connection included.',
      {
        unit: 's',
        queries: [
          query(
            quantile(0.95, 'db_operation_duration_seconds', of, ['operation']),
            '{{operation}}',
          ),
        ],
      },
    ),
    lines(
      'Store operations that failed',
      'A second, by operation and outcome. Conflicts and deadlocks are tried again.',
      {
        unit: 'cps',
        queries: [
          query(
            orNone(
              by(
                'sum',
                ['operation', 'outcome'],
                rate(own('db_operations_total', { ...of, outcome: { not: 'committed' } })),
              ),
            ),
            '{{operation}} {{outcome}}',
          ),
        ],
      },
    ),
  ];
}
