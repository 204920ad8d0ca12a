// The first page at 3 a.m.: does the shop sell, is it quick, who is ill.

import { type Dashboard, lines, number, query, type Row } from './model.ts';
import { by, foreign, inAll, orNone, own, perSecond, rate, recorded } from './promql.ts';
import { answerSMax, latencyOf } from './shared.ts';

const now: Row = {
  title: 'Now',
  panels: [
    number(
      'Alerts that fire',
      'Above 0: open the alert and its runbook; this page is the context.',
      {
        ...{ unit: 'short', width: 4, bound: { value: 1, wrong: 'above' } },
        queries: [query(orNone(`count(${foreign('ALERTS', { alertstate: 'firing' })})`), 'firing')],
      },
    ),
    number('Processes that do not answer', 'Dead, frozen, or cut off. Which: Infrastructure.', {
      ...{ unit: 'short', width: 4, bound: { value: 1, wrong: 'above' } },
      queries: [query(`count(${foreign('up')}) - sum(${foreign('up')})`, 'down')],
    }),
    number('Orders taken', 'In all the time shown: answered 201 or 202, so promised to students.', {
      ...{ unit: 'short', width: 4 },
      queries: [query(inAll(own('orders_accepted_total')), 'orders')],
    }),
    number('Share of orders that fail', 'Of the last 5 minutes: 5xx, or ended by the deadline.', {
      ...{ unit: 'percentunit', width: 4, bound: { value: 0.1, wrong: 'above' } },
      queries: [query(recorded('orders:failure_ratio:rate5m'), 'failed')],
    }),
    number('Average answer of the gateway', 'Over 30 s. Above 1 s students press again.', {
      ...{ unit: 's', width: 4, bound: answerSMax },
      queries: [query(recorded('gateway:http_request_duration_seconds:mean30s'), 'average')],
    }),
    number('Dishes sold out', 'They answer "sold out" at once: right, and no incident.', {
      ...{ unit: 'short', width: 4 },
      queries: [query(orNone(`count(${own('inventory_stock')} <= 0)`), 'dishes')],
    }),
  ],
};

const orders: Row = {
  title: 'Orders',
  panels: [
    lines(
      'Orders accepted',
      'With their stock (201), or for later (202): then inventory is silent.',
      {
        unit: 'cps',
        queries: [query(by('sum', ['outcome'], rate(own('orders_accepted_total'))), '{{outcome}}')],
      },
    ),
    lines('Orders rejected', 'By reason. Rightly refused: no failure of ours.', {
      unit: 'cps',
      queries: [query(by('sum', ['reason'], rate(own('orders_rejected_total'))), '{{reason}}')],
    }),
    lines(
      'Orders processed',
      'Orders that reach a status. In a healthy rush the lines follow each other.',
      {
        unit: 'cps',
        queries: [query(by('sum', ['status'], rate(own('orders_processed_total'))), '{{status}}')],
      },
    ),
    lines(
      'Orders retried',
      'Asked for or driven again: known keys, silence of inventory, the sweeper.',
      {
        unit: 'cps',
        queries: [query(by('sum', ['how'], rate(own('orders_retried_total'))), '{{how}}')],
      },
    ),
    lines('Orders failed', 'Owed and not carried out. Each is an apology: open Order path next.', {
      unit: 'cps',
      queries: [query(by('sum', ['reason'], rate(own('orders_failed_total'))), '{{reason}}')],
    }),
    lines('Notifications', 'Events sent to the pages of students, kitchen and admins.', {
      unit: 'cps',
      queries: [query(by('sum', ['kind'], rate(own('notifications_pushed_total'))), '{{kind}}')],
    }),
  ],
};

const gateway = { service: 'gateway' };
const front: Row = {
  title: 'Gateway',
  panels: [
    lines('Gateway rate', 'Requests a second by status. 5xx is ours; 422 and 429 are not.', {
      ...{ unit: 'cps', stacked: true },
      queries: [
        query(by('sum', ['status'], rate(own('http_requests_total', gateway))), '{{status}}'),
      ],
    }),
    lines(
      'Gateway latency',
      'p50, p95 and p99, event streams left out. The dots are traces: click one.',
      {
        ...{ unit: 's', bound: answerSMax },
        queries: latencyOf('gateway'),
      },
    ),
    lines('Requests shed', 'Refused at the door so that the others are quick. By priority.', {
      unit: 'cps',
      queries: [
        query(
          by('sum', ['priority'], rate(own('http_requests_shed_total', gateway))),
          '{{priority}}',
        ),
      ],
    }),
  ],
};

const people: Row = {
  title: 'Users and stock',
  panels: [
    lines('Logins ok', 'A second. None in a rush: identity is ill, or nobody can reach it.', {
      unit: 'cps',
      ...{ width: 6 },
      queries: [query(perSecond(own('auth_attempts_total', { outcome: 'ok' })), 'ok')],
    }),
    lines('Logins failed', 'Wrong password, or too many tries. A wall of them is an attack.', {
      unit: 'cps',
      ...{ width: 6 },
      queries: [
        query(
          by('sum', ['outcome'], rate(own('auth_attempts_total', { outcome: { not: 'ok' } }))),
          '{{outcome}}',
        ),
      ],
    }),
    lines('Stock updates', 'Reserved, sold, given back, edited: orders a second.', {
      unit: 'cps',
      ...{ width: 6 },
      queries: [
        query(
          by('sum', ['operation'], rate(own('stock_updates_total', { result: 'ok' }))),
          '{{operation}}',
        ),
      ],
    }),
    lines(
      'Stock updates that failed',
      'Short of stock (a good answer), or not written (not one).',
      {
        unit: 'cps',
        ...{ width: 6 },
        queries: [
          query(
            by(
              'sum',
              ['operation', 'result'],
              rate(own('stock_updates_total', { result: { not: 'ok' } })),
            ),
            '{{operation}} {{result}}',
          ),
        ],
      },
    ),
  ],
};

export const overview: Dashboard = {
  uid: 'rushlight-overview',
  title: 'Overview',
  tells: 'Does the shop sell, is it quick, who is ill? At 3 a.m. this one first.',
  rows: [now, orders, front, people],
};
