// Each alert rule by example: a night on which it fires, and one on which it does not. The monitor
// is tested with them, and real Prometheus by `promtool test rules` (deploy/prometheus/*.test.yml).
//
// Values are written as promtool has them: `0+10x60` is 0, 10, 20 … and 60 steps long; `_x5` are
// five missing ones. Every series begins at 0 s.

import type { alertRules } from './alert-rules.ts';
import type { Duration } from './rule-types.ts';

export type AlertExample = {
  readonly alert: string;
  readonly name: string;
  /** Between two values of a series. */
  readonly interval: Duration;
  readonly series: Readonly<Record<string, string>>;
  /** When we look. */
  readonly at: Duration;
  /** The alerts of this rule that fire then: labels of the series, and the value. */
  readonly firing: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
};

type Night = Pick<AlertExample, 'series' | 'at'>;
type Example = { fires: Night & Pick<AlertExample, 'firing'>; quiet: Night };

const of = (service: string): string => `service="${service}",instance="${service}-1"`;
const orders = `${of('gateway')},method="POST",route="/api/v1/orders"`;
const streams = `${of('gateway')},method="GET",route="/api/v1/me/events"`;
const ordered = `${of('orders')},method="POST",route="/internal/orders"`;

const examples: Record<keyof typeof alertRules, Example> = {
  GatewayHighLatency: {
    fires: {
      series: {
        [`http_request_duration_seconds_sum{${orders}}`]: '0+20x12',
        [`http_request_duration_seconds_count{${orders}}`]: '0+10x12',
      },
      at: '2m',
      firing: [{ labels: { service: 'gateway' }, value: 2 }],
    },
    quiet: {
      series: {
        [`http_request_duration_seconds_sum{${orders}}`]: '0+5x12',
        [`http_request_duration_seconds_count{${orders}}`]: '0+10x12',
        [`http_request_duration_seconds_sum{${streams}}`]: '0+9000x12',
        [`http_request_duration_seconds_count{${streams}}`]: '0+10x12',
      },
      at: '2m',
    },
  },
  ServiceDown: {
    fires: {
      series: { [`up{${of('orders')}}`]: '1+0x5 0+0x12', [`up{${of('kitchen')}}`]: '1+0x20' },
      at: '150s',
      firing: [{ labels: { service: 'orders', instance: 'orders-1' }, value: 0 }],
    },
    quiet: {
      series: { [`up{${of('orders')}}`]: '1+0x5 0+0x4 1+0x10' },
      at: '150s',
    },
  },
  HighOrderFailureRate: {
    fires: {
      series: {
        [`http_requests_total{${orders},status="201"}`]: '0+80x60',
        [`http_requests_total{${orders},status="503"}`]: '0+15x60',
        [`orders_failed_total{${of('gateway')},reason="unavailable"}`]: '0+15x60',
        [`orders_failed_total{${of('orders')},reason="deadline"}`]: '0+5x60',
        [`orders_accepted_total{${of('orders')},outcome="stock_verified"}`]: '0+80x60',
      },
      at: '6m',
      firing: [{ labels: {}, value: 0.2 }],
    },
    quiet: {
      series: {
        [`http_requests_total{${orders},status="201"}`]: '0+95x60',
        [`http_requests_total{${orders},status="422"}`]: '0+2000x60',
        [`http_requests_total{${orders},status="503"}`]: '0+4x60',
        [`orders_failed_total{${of('gateway')},reason="unavailable"}`]: '0+4x60',
        [`orders_failed_total{${of('orders')},reason="deadline"}`]: '0+1x60',
        [`orders_rejected_total{${of('orders')},reason="sold_out"}`]: '0+2000x60',
        [`orders_retried_total{${of('orders')},how="swept"}`]: '0+50x60',
        [`orders_accepted_total{${of('orders')},outcome="stock_verified"}`]: '0+95x60',
      },
      at: '6m',
    },
  },
  HighErrorRate: {
    fires: {
      series: {
        [`http_requests_total{${ordered},status="200"}`]: '0+90x60',
        [`http_requests_total{${ordered},status="503"}`]: '0+10x60',
      },
      at: '6m',
      firing: [{ labels: { service: 'orders' }, value: 0.1 }],
    },
    quiet: {
      // One of two, in a quiet hour.
      series: {
        [`http_requests_total{${ordered},status="200"}`]: '1+0x10 2+0x50',
        [`http_requests_total{${ordered},status="503"}`]: '1+0x10 2+0x50',
      },
      at: '6m',
    },
  },
  HighLatency: {
    fires: {
      series: {
        [`http_request_duration_seconds_bucket{${ordered},le="1"}`]: '0+50x60',
        [`http_request_duration_seconds_bucket{${ordered},le="2.5"}`]: '0+100x60',
        [`http_request_duration_seconds_bucket{${ordered},le="+Inf"}`]: '0+100x60',
        [`http_requests_total{${ordered},status="200"}`]: '0+100x60',
      },
      at: '6m',
      firing: [{ labels: { service: 'orders' }, value: 2.35 }],
    },
    quiet: {
      series: {
        [`http_request_duration_seconds_bucket{${ordered},le="1"}`]: '0+96x60',
        [`http_request_duration_seconds_bucket{${ordered},le="2.5"}`]: '0+100x60',
        [`http_request_duration_seconds_bucket{${ordered},le="+Inf"}`]: '0+100x60',
        [`http_requests_total{${ordered},status="200"}`]: '0+100x60',
      },
      at: '6m',
    },
  },
  HighPaymentFailureRate: {
    fires: {
      series: {
        [`payments_total{${of('payments')},outcome="captured"}`]: '0+60x60',
        [`payments_total{${of('payments')},outcome="payment_declined"}`]: '0+19x60',
        [`payment_tasks_postponed_total{${of('payments')},task="charge"}`]: '0+1x60',
      },
      at: '6m',
      firing: [{ labels: {}, value: 0.25 }],
    },
    quiet: {
      series: {
        [`payments_total{${of('payments')},outcome="captured"}`]: '0+95x60',
        [`payments_total{${of('payments')},outcome="insufficient_funds"}`]: '0+80x60',
        [`payments_total{${of('payments')},outcome="payment_declined"}`]: '0+5x60',
      },
      at: '6m',
    },
  },
  LowInventoryStock: {
    fires: {
      series: {
        [`inventory_stock{${of('inventory')},item="lentil-soup"}`]: '20-1x20',
        [`inventory_stock{${of('inventory')},item="dates"}`]: '200-1x20',
      },
      at: '140s',
      firing: [{ labels: { item: 'lentil-soup' }, value: 6 }],
    },
    quiet: {
      series: { [`inventory_stock{${of('inventory')},item="lentil-soup"}`]: '200-1x20' },
      at: '140s',
    },
  },
  QueueBacklog: {
    fires: {
      series: {
        [`bus_queue_oldest_seconds{${of('payments')},queue="payments"}`]: '0+5x30',
        [`bus_queue_depth{${of('payments')},queue="payments"}`]: '10+10x30',
        [`bus_queue_depth{${of('kitchen')},queue="kitchen"}`]: '2000+0x30',
      },
      at: '2m',
      firing: [
        { labels: { queue: 'kitchen' }, value: 2000 },
        { labels: { queue: 'payments' }, value: 60 },
      ],
    },
    quiet: {
      series: {
        [`bus_queue_oldest_seconds{${of('payments')},queue="payments"}`]: '0+0x3 30+0x3 0+0x20',
        [`bus_queue_depth{${of('payments')},queue="payments"}`]: '900+0x30',
      },
      at: '80s',
    },
  },
  DeadLetters: {
    fires: {
      series: {
        [`dead_letters{${of('kitchen')},queue="kitchen"}`]: '0+0x5 2+0x5',
        [`dead_letters{${of('orders')},queue="orders"}`]: '0+0x12',
      },
      at: '80s',
      firing: [{ labels: { queue: 'kitchen' }, value: 2 }],
    },
    quiet: {
      series: { [`dead_letters{${of('kitchen')},queue="kitchen"}`]: '2+0x3 0+0x10' },
      at: '80s',
    },
  },
  BreakerOpen: {
    fires: {
      series: {
        [`breaker_state{${of('orders')},target="inventory"}`]:
          '0 0 2 2 1 2 2 1 2 2 1 2 2 1 2 2 1 2 2',
      },
      at: '3m',
      firing: [{ labels: { service: 'orders', target: 'inventory' }, value: 2 }],
    },
    quiet: {
      series: { [`breaker_state{${of('orders')},target="inventory"}`]: '0 2 2 1 0+0x20' },
      at: '2m',
    },
  },
  EventLoopBlocked: {
    fires: {
      series: { [`nodejs_eventloop_lag_p99_seconds{${of('gateway')}}`]: '0.01+0x5 0.6+0x30' },
      at: '3m',
      firing: [{ labels: { service: 'gateway', instance: 'gateway-1' }, value: 0.6 }],
    },
    quiet: {
      series: {
        [`nodejs_eventloop_lag_p99_seconds{${of('gateway')}}`]:
          '0.9+0x4 0.01 0.9+0x4 0.01 0.9+0x4 0.01 0.9+0x4',
      },
      at: '3m',
    },
  },
  HighCPU: {
    fires: {
      series: { [`process_cpu_seconds_total{${of('gateway')}}`]: '0+9.5x70' },
      at: '10m',
      firing: [{ labels: { service: 'gateway', instance: 'gateway-1' }, value: 0.95 }],
    },
    quiet: { series: { [`process_cpu_seconds_total{${of('gateway')}}`]: '0+8x70' }, at: '10m' },
  },
  HighMemory: {
    fires: {
      series: { [`process_resident_memory_bytes{${of('orders')}}`]: '1200000000+0x60' },
      at: '7m',
      firing: [{ labels: { service: 'orders', instance: 'orders-1' }, value: 1_200_000_000 }],
    },
    quiet: {
      series: { [`process_resident_memory_bytes{${of('orders')}}`]: '300000000+0x60' },
      at: '7m',
    },
  },
  DiskSpaceLow: {
    fires: {
      series: {
        [`disk_available_bytes{${of('orders')},volume="data"}`]: '5000000000+0x12',
        [`disk_size_bytes{${of('orders')},volume="data"}`]: '100000000000+0x12',
      },
      at: '2m',
      firing: [{ labels: { volume: 'data' }, value: 0.05 }],
    },
    quiet: {
      series: {
        [`disk_available_bytes{${of('orders')},volume="data"}`]: '50000000000+0x12',
        [`disk_size_bytes{${of('orders')},volume="data"}`]: '100000000000+0x12',
      },
      at: '2m',
    },
  },
  PostgresTooManyConnections: {
    fires: {
      series: {
        [`postgres_connections{${of('orders')}}`]: '90+0x30',
        [`postgres_connections_max{${of('orders')}}`]: '100+0x30',
      },
      at: '4m',
      firing: [{ labels: {}, value: 0.9 }],
    },
    quiet: {
      series: {
        [`postgres_connections{${of('orders')}}`]: '40+0x30',
        [`postgres_connections_max{${of('orders')}}`]: '100+0x30',
      },
      at: '4m',
    },
  },
  NoTelemetry: {
    fires: {
      series: {
        [`up{${of('payments')}}`]: '1+0x60 _x60',
        [`up{${of('kitchen')}}`]: '1+0x120',
        [`scrape_samples_scraped{${of('kitchen')}}`]: '0+0x120',
        [`up{${of('orders')}}`]: '1+0x120',
        [`scrape_samples_scraped{${of('orders')}}`]: '300+0x120',
      },
      at: '17m',
      firing: [
        { labels: { service: 'payments' }, value: 1 },
        { labels: { service: 'kitchen' }, value: 1 },
      ],
    },
    quiet: {
      series: {
        [`up{${of('payments')}}`]: '1+0x30 0+0x90',
        [`scrape_samples_scraped{${of('payments')}}`]: '300+0x30 0+0x90',
      },
      at: '17m',
    },
  },
};

/** Two of each rule of the table, evaluated every ten seconds. */
export const alertExamples: readonly AlertExample[] = Object.entries(examples).flatMap(
  ([alert, { fires, quiet }]) => [
    { alert, name: `${alert} fires`, interval: '10s', ...fires },
    { alert, name: `${alert} stays quiet`, interval: '10s', ...quiet, firing: [] },
  ],
);
