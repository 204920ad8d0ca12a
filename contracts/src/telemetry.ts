// The names of all metrics, each with its meaning, unit, labels and who exposes it. A metric, a label
// or a value that is not in this table does not compile; docs/METRICS.md is written from it. Names
// follow Prometheus: base units, `_total` on counters.
//
// T1. A label takes one of the values listed here, or of a kind that is bounded by something else
//     than what clients send. So the number of series has a limit whatever comes.
// T2. A counter all of whose labels are lists stands at 0 from the start of its process: its first
//     event is an increase, and a rate sees it.
// T3. One thing is counted once. What comes again (a message, a request with a known key) is not
//     counted again, except by `orders_retried_total`, which counts just that.

import { queueNames } from './events.ts';
import { roles } from './http/route.ts';
import {
  counter,
  gauge,
  histogram,
  type MetricSpec,
  type Of,
  seconds,
  sizes,
} from './metric-spec.ts';
import { orderStatuses } from './order-status.ts';
import { processes, processNames } from './services.ts';

const all: Of = processNames;
const orders: Of = ['orders'];
const inventory: Of = ['inventory'];
const payments: Of = ['payments'];
const monitor: Of = ['monitor'];
const withDatabase: Of = processNames.filter((name) => processes[name].database);
const withBus: Of = processNames.filter((name) => name !== 'monitor');
const withOutbox: Of = ['identity', 'inventory', 'orders', 'payments', 'kitchen'];
const withQueue: Of = queueNames;
const withCache: Of = ['gateway', 'identity'];
const callers: Of = processNames.filter((name) => processes[name].calls.length > 0);

const results = ['ok', 'refused', 'failed'] as const;
const messageChannels = ['mail', 'sms'] as const;
const signals = ['spans', 'logs', 'samples'] as const;
/** Every order begins as pending; that it was accepted is counted by itself. */
const [, ...reachedStatuses] = orderStatuses;

const http = {
  http_requests_total: counter(all, 'requests', 'Requests answered.', {
    method: 'method',
    route: 'route',
    status: 'status',
  }),
  http_request_duration_seconds: histogram(
    all,
    { unit: 'seconds', buckets: seconds },
    'From the request line to the last byte of the answer.',
    { method: 'method', route: 'route' },
  ),
  http_requests_shed_total: counter(
    all,
    'requests',
    'Requests refused at the door because too much was under way.',
    { priority: ['checkout', 'read', 'lab'] },
  ),
  http_client_requests_total: counter(
    callers,
    'calls',
    'Calls to other services, by whether an answer came.',
    { target: 'process', route: 'route', outcome: ['answered', 'unknown'] },
  ),
  http_client_retries_total: counter(callers, 'calls', 'Second and later tries of a call.', {
    target: 'process',
  }),
  breaker_state: gauge(
    callers,
    'state',
    'The circuit breaker before another service: 0 closed, 1 half open, 2 open.',
    { target: 'process' },
  ),
  errors_total: counter(
    all,
    'errors',
    'Requests that this service itself answered with an error, by its stable code.',
    { code: 'code' },
  ),
} as const satisfies Record<string, MetricSpec>;

const users = {
  auth_attempts_total: counter(
    ['identity'],
    'logins',
    'Logins: right, with a wrong id or password, or too many of them.',
    { outcome: ['ok', 'wrong', 'limited'] },
  ),
  jwt_tokens_issued_total: counter(['identity'], 'tokens', 'Tokens issued.', { role: roles }),
  jwt_token_validations_total: counter(
    ['gateway', 'monitor'],
    'tokens',
    'Tokens checked: good, good and checked within the last minute, or refused.',
    { outcome: ['verified', 'remembered', 'refused'] },
  ),
} as const satisfies Record<string, MetricSpec>;

const ordering = {
  orders_accepted_total: counter(
    orders,
    'orders',
    'Orders taken on: with their stock (201), or for later because inventory was silent (202).',
    { outcome: ['stock_verified', 'queued'] },
  ),
  orders_rejected_total: counter(
    ['gateway', 'orders'],
    'orders',
    'Orders that rightly are not carried out: refused when they were placed, or ended by a later ' +
      'decision. What we owed and did not do is in orders_failed_total.',
    {
      reason: [
        'sold_out',
        'unknown_item',
        'key_reused',
        'rate_limited',
        'insufficient_funds',
        'payment_declined',
      ],
    },
  ),
  orders_failed_total: counter(
    ['gateway', 'orders'],
    'orders',
    'Orders that we owed and did not carry out: the gateway answered 503 (unavailable) or another ' +
      '5xx (error), or an accepted order was not paid by its deadline (deadline).',
    { reason: ['unavailable', 'error', 'deadline'] },
  ),
  orders_retried_total: counter(
    orders,
    'orders',
    'Orders asked for or driven again: a request with a known key (repeated), an order that goes ' +
      'over the bus because inventory was silent (queued), or because nobody had decided it in ' +
      'time (swept).',
    { how: ['repeated', 'queued', 'swept'] },
  ),
  orders_processed_total: counter(
    orders,
    'orders',
    'Orders that reached a status, each once for each status.',
    { status: reachedStatuses },
  ),
  order_operations_total: counter(
    orders,
    'operations',
    'What was asked of orders, order by order where a request holds many: done, rightly refused, ' +
      'or not done.',
    { operation: ['place', 'look_up', 'get', 'list', 'cancel'], result: results },
  ),
} as const satisfies Record<string, MetricSpec>;

const shop = {
  product_operations_total: counter(
    inventory,
    'operations',
    'What was asked of the menu and its items: done, rightly refused, or not done.',
    { operation: ['menu', 'list', 'get', 'add', 'edit', 'remove'], result: results },
  ),
  stock_updates_total: counter(
    inventory,
    'orders',
    'Orders whose stock was to be reserved, sold (commit) or given back (release), and edits of ' +
      'stock: written, short of stock, or not written. What was written before is not counted again.',
    { operation: ['reserve', 'commit', 'release', 'edit'], result: ['ok', 'short', 'failed'] },
  ),
  portions_sold_total: counter(inventory, 'portions', 'Portions of orders that were paid.', {
    item: 'item',
  }),
  inventory_stock: gauge(
    inventory,
    'portions',
    'Portions left to sell; NaN for an item that is off the menu.',
    { item: 'item' },
  ),
  payments_total: counter(payments, 'payments', 'Payments that came to an end, by which.', {
    outcome: ['captured', 'insufficient_funds', 'payment_declined', 'refunded', 'voided'],
  }),
  payments_cents_total: counter(
    payments,
    'cents',
    'Money that moved: captured from wallets, or refunded to them.',
    { kind: ['captured', 'refunded'] },
  ),
  payment_tasks_postponed_total: counter(
    payments,
    'tasks',
    'Tasks that wait for another try because the card provider gave no answer.',
    { task: ['charge', 'refund', 'open', 'fund', 'top_up'] },
  ),
  kitchen_tickets: gauge(['kitchen'], 'tickets', 'Tickets by status.', {
    status: ['waiting', 'cooking', 'ready'],
  }),
  notifications_pushed_total: counter(
    ['notifications'],
    'events',
    'Events sent to clients, each once for each client.',
    { kind: ['order', 'menu'] },
  ),
  notification_streams: gauge(['notifications'], 'streams', 'Open event streams.', {}),
  messages_out_total: counter(
    ['notifications'],
    'attempts',
    'Messages by mail and SMS: taken by the other side (sent), refused for good (refused), too old to ' +
      'be of use (expired), or to come again later (retried).',
    { channel: messageChannels, outcome: ['sent', 'refused', 'expired', 'retried'] },
  ),
  messages_out_waiting: gauge(['notifications'], 'messages', 'Messages that wait to go out.', {
    channel: messageChannels,
  }),
  messages_out_oldest_seconds: gauge(
    ['notifications'],
    'seconds',
    'Age of the oldest message that waits to go out; 0 when none does.',
    { channel: messageChannels },
  ),
} as const satisfies Record<string, MetricSpec>;

const batchers = {
  batcher: ['place_orders', 'look_up_keys', 'place', 'reserve', 'paid', 'intake'],
} as const;

const flow = {
  batch_size: histogram(
    ['gateway', 'orders', 'inventory', 'notifications'],
    { unit: 'things', buckets: sizes },
    'Things decided together.',
    batchers,
  ),
  batch_queue_depth: gauge(
    ['gateway', 'inventory'],
    'things',
    'Things that wait for a batch.',
    batchers,
  ),
  bus_messages_published_total: counter(withBus, 'messages', 'Messages confirmed by the bus.', {
    topic: 'topic',
  }),
  bus_messages_consumed_total: counter(
    withBus,
    'messages',
    'Messages by what became of them: handled, made to wait, tried again later, taken apart to ' +
      'find the bad one, or laid aside as a dead letter.',
    { topic: 'topic', outcome: ['handled', 'waits', 'retried', 'split', 'dead'] },
  ),
  bus_queue_depth: gauge(
    withQueue,
    'messages',
    'Messages that wait in the queue of a service, or that it handles (RabbitMQ: this replica).',
    { queue: 'queue' },
  ),
  bus_queue_oldest_seconds: gauge(
    withQueue,
    'seconds',
    'Age of the oldest message of a queue; 0 when there is none. RabbitMQ: roughly.',
    { queue: 'queue' },
  ),
  outbox_depth: gauge(withOutbox, 'messages', 'Messages written and not yet on the bus.', {}),
  dead_letters: gauge(withQueue, 'messages', 'Messages that the service could not take.', {
    queue: 'queue',
  }),
} as const satisfies Record<string, MetricSpec>;

const stores = {
  db_operations_total: counter(
    withDatabase,
    'operations',
    'Operations of the store: each is one transaction.',
    { operation: 'operation', outcome: ['committed', 'rolled_back', 'unavailable'] },
  ),
  db_operation_duration_seconds: histogram(
    withDatabase,
    { unit: 'seconds', buckets: seconds },
    'A store operation, from its call to its commit.',
    { operation: 'operation' },
  ),
  postgres_connections: gauge(
    withDatabase,
    'connections',
    'Connections that the Postgres of this service has open, from whoever.',
    {},
  ),
  postgres_connections_max: gauge(
    withDatabase,
    'connections',
    'Connections that this Postgres allows.',
    {},
  ),
  cache_operations_total: counter(
    withCache,
    'operations',
    'Operations of a cache that processes share, by where they were done: there, or in the process ' +
      'itself because the shared one did not answer.',
    { where: ['shared', 'own'] },
  ),
  disk_available_bytes: gauge(all, 'bytes', 'Free space where a volume of this service is kept.', {
    volume: ['data'],
  }),
  disk_size_bytes: gauge(
    all,
    'bytes',
    'Size of the file system on which a volume of this service is kept.',
    { volume: ['data'] },
  ),
  trace_spans_total: counter(all, 'spans', 'Spans that were kept, by what became of them.', {
    outcome: ['exported', 'dropped'],
  }),
  process_uptime_seconds: gauge(all, 'seconds', 'How long this process has run.', {}),
} as const satisfies Record<string, MetricSpec>;

const watching = {
  monitor_records_taken_total: counter(
    monitor,
    'records',
    'Spans, log lines and samples taken in: sent as OTLP, scraped, read from log files, or made by ' +
      'the rules of the monitor itself.',
    { signal: signals, source: ['otlp', 'scrape', 'files', 'rules'] },
  ),
  monitor_records_refused_total: counter(
    monitor,
    'records',
    'Records not taken in: they break the rules of OTLP, or are beyond the limit of series (of one ' +
      'target, or of the store).',
    { signal: signals, reason: ['malformed', 'target_series', 'store_series'] },
  ),
  monitor_records_dropped_total: counter(
    monitor,
    'records',
    'Records taken in and lost: the buffer was full, or the store could not be written.',
    { signal: signals },
  ),
  monitor_records_written_total: counter(monitor, 'records', 'Records written to the store.', {
    signal: signals,
  }),
  monitor_records_waiting: gauge(monitor, 'records', 'Records that wait to be written.', {}),
  monitor_store_bytes: gauge(monitor, 'bytes', 'The files of the store.', {}),
  monitor_store_up: gauge(
    monitor,
    'state',
    '1 while the store can be read and written, else 0.',
    {},
  ),
  monitor_series: gauge(monitor, 'series', 'Series that the store knows now.', {}),
  monitor_otlp_requests_total: counter(
    monitor,
    'requests',
    'Requests to the receiver of OTLP: taken in, or refused as a whole.',
    { signal: signals, result: ['taken', 'malformed', 'too_large', 'busy', 'failed'] },
  ),
  monitor_scrapes_total: counter(
    monitor,
    'scrapes',
    'Scrapes of all targets. One that is down leaves a gap in its series.',
    { result: ['up', 'down'] },
  ),
} as const satisfies Record<string, MetricSpec>;

/** The table, as it is shown. */
export const metricGroups = {
  'HTTP, in and out': http,
  'Users and tokens': users,
  Orders: ordering,
  'Stock, payments, kitchen, notifications': shop,
  'Batches, bus and outbox': flow,
  'Store, disk, traces, process': stores,
  Monitor: watching,
} as const satisfies Record<string, Record<string, MetricSpec>>;

export const metrics = {
  ...{ ...http, ...users, ...ordering, ...shop },
  ...{ ...flow, ...stores, ...watching },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metrics;

type ValueOf<V> = V extends readonly (infer One extends string)[] ? One : string;
export type MetricLabels<N extends MetricName> = {
  readonly [L in keyof (typeof metrics)[N]['labels']]: ValueOf<(typeof metrics)[N]['labels'][L]>;
};

/** What stands on spans. The first names are those of the OpenTelemetry semantic conventions. */
export const spanAttributes = {
  'http.request.method': 'GET, POST and so on.',
  'http.route': 'The path of the contract, with its parameters as names.',
  'http.response.status_code': 'Of the answer.',
  'server.address': 'The service that is called.',
  'error.type': 'The stable code of a problem, or the class of an error.',
  'db.system.name': 'postgresql.',
  'db.operation.name': 'The named operation of a store.',
  'messaging.system': 'rushlight on Postgres, or rabbitmq.',
  'messaging.operation.type': 'send or process.',
  'messaging.destination.name': 'The queue or the topic.',
  'messaging.batch.message_count': 'Messages taken together.',
  'rushlight.batch.size': 'Orders, or other things, decided together.',
  'rushlight.order.id': 'The order that a request placed, or asked for again.',
} as const satisfies Record<string, string>;

export type SpanAttribute = keyof typeof spanAttributes;
export type SpanAttributes = Readonly<Partial<Record<SpanAttribute, string | number | boolean>>>;
