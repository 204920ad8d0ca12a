// What gateways see of their own answers: how long they took, and what became of orders. Whether an
// order failed is told by its answer, wherever on its way it was decided.

import type { Cache, Context, Environment, Metrics } from '@rushlight/chassis';
import { publicApi, type Route } from '@rushlight/contracts';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createLatencyWindow, type LatencyReport, LatencySight, latencyOf } from './latency.ts';
import { createSharedSight } from './shared-sight.ts';
import {
  createThroughput,
  outcomeOf,
  type ThroughputReport,
  ThroughputSight,
  throughputOf,
} from './throughput.ts';

/** What a student waits for: no streams, which last; no lab or admin routes, which are not traffic. */
function isTraffic(route: Route): boolean {
  return !route.stream && !route.lab && !route.path.startsWith('/api/v1/admin/');
}

export type Observer = {
  /** Sees every answer of this server from now on. Call it before routes are added. */
  watch(app: FastifyInstance): void;
  /** This order's 422 will not mean "sold out". */
  markKeyReused(request: object): void;
  /** Tells the other gateways what this one saw, if anybody looks; about once a second. */
  tell(): Promise<void>;
  latency(input: unknown, context: Context): Promise<{ status: 200; body: LatencyReport }>;
  throughput(input: unknown, context: Context): Promise<{ status: 200; body: ThroughputReport }>;
};

const Sight = z.object({ latency: LatencySight, orders: ThroughputSight });

/** @param cache what all gateways share, and `instance` the name of this one among them */
export function createObserver(options: {
  env: Pick<Environment, 'nowMs' | 'monotonicMs'>;
  metrics: Pick<Metrics, 'counter'>;
  cache: Pick<Cache, 'get' | 'set'>;
  instance: string;
}): Observer {
  const { env, metrics, cache, instance } = options;
  const tooFast = metrics.counter('orders_rejected_total', { reason: 'rate_limited' });
  const unavailable = metrics.counter('orders_failed_total', { reason: 'unavailable' });
  const error = metrics.counter('orders_failed_total', { reason: 'error' });
  const window = createLatencyWindow();
  const orders = createThroughput();
  const read = () => ({ latency: window.sight(env.monotonicMs()), orders: orders.sight() });
  const sights = createSharedSight({ cache, env, instance, read, schema: Sight });
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
    tell: () => sights.tell(),
    latency: async () => {
      const all = await sights.all();
      return { status: 200, body: latencyOf(all.map(({ latency }) => latency)) };
    },
    throughput: async () => {
      const all = await sights.all();
      const seen = all.map((sight) => sight.orders);
      return { status: 200, body: throughputOf(seen, env.nowMs()) };
    },
  };
}
