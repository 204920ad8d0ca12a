// One order's way, hop by hop: which of them holds it up.

import { publicApi } from '@rushlight/contracts';
import { type Dashboard, lines, query, type Row } from './model.ts';
import { by, own, perSecond, quantile, rate, recorded } from './promql.ts';
import { answerSMax } from './shared.ts';

const { method, path: route } = publicApi.placeOrder;
const placing = { service: 'gateway', method, route };

const door: Row = {
  title: '1. The gateway takes it',
  panels: [
    lines('Answers to orders', 'By status: 201 and 202 taken, 422 refused rightly, 5xx owed.', {
      ...{ unit: 'cps', stacked: true, width: 8 },
      queries: [
        query(by('sum', ['status'], rate(own('http_requests_total', placing))), '{{status}}'),
      ],
    }),
    lines(
      'Time to answer an order',
      'From press to answer. The dots are traces of orders: click one.',
      {
        ...{ unit: 's', bound: answerSMax, width: 8 },
        queries: [0.5, 0.95, 0.99].map((of) => ({
          ...query(quantile(of, 'http_request_duration_seconds', placing), `p${of * 100}`),
          exemplars: of === 0.99,
        })),
      },
    ),
    lines(
      'Orders that wait for a batch',
      'Grows when orders does not keep up; then the gateway sheds.',
      {
        ...{ unit: 'short', width: 8 },
        queries: [
          query(
            by('max', ['service', 'batcher'], own('batch_queue_depth')),
            '{{service}} {{batcher}}',
          ),
        ],
      },
    ),
  ],
};

const decision: Row = {
  title: '2. Orders and inventory decide it',
  panels: [
    lines(
      'Sizes of batches',
      'p95. Small when it is quiet, up to 500 in a rush: batching is the design.',
      {
        ...{ unit: 'short', width: 8 },
        queries: [
          query(
            quantile(0.95, 'batch_size', {}, ['service', 'batcher']),
            '{{service}} {{batcher}}',
          ),
        ],
      },
    ),
    lines('What is asked of orders', 'Order by order. Failed: neither done nor rightly refused.', {
      ...{ unit: 'cps', width: 8 },
      queries: [
        query(
          by('sum', ['operation', 'result'], rate(own('order_operations_total'))),
          '{{operation}} {{result}}',
        ),
      ],
    }),
    lines(
      'Orders on the detour',
      'Queued, repeated or swept: inventory was silent, or a process died.',
      {
        ...{ unit: 'cps', width: 8 },
        queries: [query(by('sum', ['how'], rate(own('orders_retried_total'))), '{{how}}')],
      },
    ),
    lines(
      'Calls between services',
      'Without an answer ("unknown"): slow, gone, or refused by the breaker.',
      {
        ...{ unit: 'cps', width: 12 },
        queries: [
          query(
            by(
              'sum',
              ['service', 'target', 'outcome'],
              rate(own('http_client_requests_total', { target: /orders|inventory|kitchen/ })),
            ),
            '{{service}} → {{target}} {{outcome}}',
          ),
        ],
      },
    ),
    lines(
      'Breakers',
      '0 closed, 1 half open, 2 open: calls are refused at once and tried now and then.',
      {
        ...{ unit: 'short', width: 12, bound: { value: 2, wrong: 'above' } },
        queries: [
          query(by('max', ['service', 'target'], own('breaker_state')), '{{service}} → {{target}}'),
        ],
      },
    ),
  ],
};

const bus: Row = {
  title: '3. Events carry it on',
  panels: [
    lines(
      'Messages that wait',
      'In the queue of each service. An order that is not paid within 60 s ends.',
      {
        ...{ unit: 'short', width: 8, bound: { value: 1_000, wrong: 'above' } },
        queries: [query(by('max', ['queue'], own('bus_queue_depth')), '{{queue}}')],
      },
    ),
    lines(
      'Age of the oldest message',
      'Better than the depth: a full queue that moves is no trouble.',
      {
        ...{ unit: 's', width: 8, bound: { value: 20, wrong: 'above' } },
        queries: [query(by('max', ['queue'], own('bus_queue_oldest_seconds')), '{{queue}}')],
      },
    ),
    lines(
      'Messages by what became of them',
      'Retried and split: a neighbour is ill. Dead: somebody has to act.',
      {
        ...{ unit: 'cps', width: 8 },
        queries: [
          query(
            by('sum', ['service', 'outcome'], rate(own('bus_messages_consumed_total'))),
            '{{service}} {{outcome}}',
          ),
        ],
      },
    ),
    lines(
      'Written and not yet sent',
      'The outbox of each service. It grows when the bus is slow or gone.',
      {
        ...{ unit: 'short', width: 12 },
        queries: [query(by('max', ['service'], own('outbox_depth')), '{{service}}')],
      },
    ),
    lines('Dead letters', 'Messages that nobody could take. What they tell has not happened yet.', {
      ...{ unit: 'short', width: 12, bound: { value: 1, wrong: 'above' } },
      queries: [query(by('max', ['queue'], own('dead_letters')), '{{queue}}')],
    }),
  ],
};

const end: Row = {
  title: '4. Paid, cooked, told',
  panels: [
    lines('Payments', 'By how they ended. Declined by many at once: the card provider is ill.', {
      ...{ unit: 'cps', width: 8 },
      queries: [query(by('sum', ['outcome'], rate(own('payments_total'))), '{{outcome}}')],
    }),
    lines(
      'Share of charges that fail',
      'Of the last 5 minutes: declined, or no answer of the provider.',
      {
        ...{ unit: 'percentunit', width: 8, bound: { value: 0.1, wrong: 'above' } },
        queries: [query(recorded('payments:failure_ratio:rate5m'), 'failed')],
      },
    ),
    lines(
      'Payment tasks postponed',
      'The provider gave no answer; they are tried again under the same id.',
      {
        ...{ unit: 'cps', width: 8 },
        queries: [
          query(by('sum', ['task'], rate(own('payment_tasks_postponed_total'))), '{{task}}'),
        ],
      },
    ),
    lines(
      'Tickets in the kitchen',
      'By status. Waiting grows in a rush and is worked off after it.',
      {
        ...{ unit: 'short', width: 8 },
        queries: [query(by('sum', ['status'], own('kitchen_tickets')), '{{status}}')],
      },
    ),
    lines('Open event streams', 'Pages that are told of each step.', {
      ...{ unit: 'short', width: 8 },
      queries: [query(`sum(${own('notification_streams')})`, 'streams')],
    }),
    lines(
      'Orders swept',
      'Ended by the deadline: accepted, and never paid. Each one is an apology.',
      {
        ...{ unit: 'cps', width: 8 },
        queries: [query(perSecond(own('orders_failed_total', { reason: 'deadline' })), 'deadline')],
      },
    ),
  ],
};

export const orderPath: Dashboard = {
  uid: 'rushlight-order-path',
  title: 'Order path',
  tells: "One order's way, hop by hop: which hop holds it up?",
  rows: [door, decision, bus, end],
};
