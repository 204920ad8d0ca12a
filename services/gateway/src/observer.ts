// What the gateway sees of its own answers: how long they took, and what became of orders. Whether an
// order failed is told by its answer, wherever on its way it was decided.

import type { Context, Environment, Metrics } from '@rushlight/chassis';
import { publicApi, type Route } from '@rushlight/contracts';
import type { FastifyInstance } from 'fastify';
import { createLatencyWindow, type LatencyReport } from './latency.ts';
import { createThroughput, outcomeOf, type ThroughputReport } from './throughput.ts';

/** What a student waits for: no streams, which last; no lab or admin routes, which are not traffic. */
function isTraffic(route: Route): boolean {
  return !route.stream && !route.lab && !route.path.startsWith('/api/v1/admin/');
}

export type Observer = {
  /** Sees every answer of this server from now on. Call it before routes are added. */
  watch(app: FastifyInstance): void;
  /** This order's 422 will not mean "sold out". */
  markKeyReused(request: object): void;
  latency(input: unknown, context: Context): Promise<{ status: 200; body: LatencyReport }>;
  throughput(input: unknown, context: Context): Promise<{ status: 200; body: ThroughputReport }>;
};

export function createObserver(
  env: Pick<Environment, 'nowMs' | 'monotonicMs'>,
  metrics: Pick<Metrics, 'counter'>,
): Observer {
  const tooFast = metrics.counter('orders_rejected_total', { reason: 'rate_limited' });
  const unavailable = metrics.counter('orders_failed_total', { reason: 'unavailable' });
  const error = metrics.counter('orders_failed_total', { reason: 'error' });
  const window = createLatencyWindow();
  const orders = createThroughput();
  const reused = new WeakSet<object>();
  const traffic = new Set<Route | undefined>(
    Object.values<Route>(publicApi).filter((route) => isTraffic(route)),
  );
  return {
    watch: (app) => {
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.routeOptions.config.contract;
        if (traffic.has(route)) {
          const nowMs = env.monotonicMs();
          window.record(nowMs - request.startedMs, nowMs);
        }
        if (route === publicApi.placeOrder) {
          const { statusCode } = reply;
          orders.record(outcomeOf(statusCode, reused.has(request)), env.nowMs());
          if (statusCode === 429) tooFast.inc();
          else if (statusCode === 503) unavailable.inc();
          else if (statusCode >= 500) error.inc();
        }
        done();
      });
    },
    markKeyReused: (request) => reused.add(request),
    latency: async () => ({ status: 200, body: window.report(env.monotonicMs()) }),
    throughput: async () => ({ status: 200, body: orders.report(env.nowMs()) }),
  };
}
