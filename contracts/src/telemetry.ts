// The names of all metrics, each with its kind, unit and labels. A metric or a label that is not in
// this table does not compile. Names follow Prometheus: base units, `_total` on counters.

export type MetricSpec = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
};

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500] as const;

export const metrics = {
  http_requests_total: {
    kind: 'counter',
    help: 'Requests answered.',
    labels: ['method', 'route', 'status'],
  },
  http_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the request line to the last byte of the answer.',
    labels: ['method', 'route'],
    buckets: seconds,
  },
  http_requests_shed_total: {
    kind: 'counter',
    help: 'Requests refused because too much was waiting.',
    labels: ['priority'],
  },
  orders_accepted_total: {
    kind: 'counter',
    help: 'Orders answered 201 or 202.',
    labels: ['outcome'],
  },
  orders_rejected_total: { kind: 'counter', help: 'Orders refused.', labels: ['reason'] },
  orders_processed_total: {
    kind: 'counter',
    help: 'Orders that reached a status.',
    labels: ['status'],
  },
  orders_swept_total: {
    kind: 'counter',
    help: 'Orders that the deadline sweeper moved.',
    labels: ['to'],
  },
  auth_attempts_total: { kind: 'counter', help: 'Logins.', labels: ['outcome'] },
  jwt_tokens_issued_total: { kind: 'counter', help: 'Tokens issued.', labels: ['role'] },
  jwt_token_validations_total: { kind: 'counter', help: 'Tokens checked.', labels: ['outcome'] },
  portions_sold_total: {
    kind: 'counter',
    help: 'Portions of orders that were paid, by item.',
    labels: ['item'],
  },
  inventory_stock: {
    kind: 'gauge',
    help: 'Portions left to sell; NaN for an item that is off the menu.',
    labels: ['item'],
  },
  stock_updates_total: { kind: 'counter', help: 'Changes of stock.', labels: ['operation'] },
  payments_total: { kind: 'counter', help: 'Payments by outcome.', labels: ['outcome'] },
  payments_cents_total: {
    kind: 'counter',
    help: 'Money that moved, in cents: captured from wallets, or refunded to them.',
    labels: ['kind'],
  },
  payment_tasks_postponed_total: {
    kind: 'counter',
    help: 'Tasks that wait for another try because the card provider gave no answer.',
    labels: ['task'],
  },
  kitchen_tickets: { kind: 'gauge', help: 'Tickets by status.', labels: ['status'] },
  notifications_pushed_total: {
    kind: 'counter',
    help: 'Events sent to clients.',
    labels: ['kind'],
  },
  notification_streams: { kind: 'gauge', help: 'Open event streams.', labels: [] },
  batch_size: {
    kind: 'histogram',
    help: 'Things decided together.',
    labels: ['batcher'],
    buckets: sizes,
  },
  batch_queue_depth: { kind: 'gauge', help: 'Things that wait for a batch.', labels: ['batcher'] },
  bus_messages_published_total: { kind: 'counter', help: 'Messages confirmed.', labels: ['topic'] },
  bus_messages_consumed_total: {
    kind: 'counter',
    help: 'Messages by what became of them.',
    labels: ['topic', 'outcome'],
  },
  bus_queue_depth: { kind: 'gauge', help: 'Messages that wait in a queue.', labels: ['queue'] },
  bus_queue_oldest_seconds: {
    kind: 'gauge',
    help: 'How long the oldest message of a queue has waited; 0 when none does.',
    labels: ['queue'],
  },
  outbox_depth: { kind: 'gauge', help: 'Messages not yet relayed.', labels: [] },
  dead_letters: { kind: 'gauge', help: 'Messages that nobody could take.', labels: ['queue'] },
  breaker_state: {
    kind: 'gauge',
    help: '0 closed, 1 half open, 2 open.',
    labels: ['target'],
  },
  http_client_requests_total: {
    kind: 'counter',
    help: 'Calls to other services.',
    labels: ['target', 'route', 'outcome'],
  },
  http_client_retries_total: {
    kind: 'counter',
    help: 'Second and later tries of a call.',
    labels: ['target'],
  },
  db_operations_total: {
    kind: 'counter',
    help: 'Store operations.',
    labels: ['operation', 'outcome'],
  },
  db_operation_duration_seconds: {
    kind: 'histogram',
    help: 'A store operation, from its call to its commit.',
    labels: ['operation'],
    buckets: seconds,
  },
  postgres_connections: {
    kind: 'gauge',
    help: 'Connections that the Postgres of this service has open, from whoever.',
    labels: [],
  },
  postgres_connections_max: {
    kind: 'gauge',
    help: 'Connections that this Postgres allows.',
    labels: [],
  },
  disk_available_bytes: {
    kind: 'gauge',
    help: 'Free space where a volume of this service is kept.',
    labels: ['volume'],
  },
  disk_size_bytes: {
    kind: 'gauge',
    help: 'Size of the file system on which a volume of this service is kept.',
    labels: ['volume'],
  },
  trace_spans_total: {
    kind: 'counter',
    help: 'Spans that were kept, by what became of them: exported or dropped.',
    labels: ['outcome'],
  },
  errors_total: { kind: 'counter', help: 'Errors answered or logged.', labels: ['code'] },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metrics;

export type MetricLabels<N extends MetricName> = Record<
  (typeof metrics)[N]['labels'][number],
  string
>;

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
