// What a service stands on: its databases, the bus, and other services. Each is opened, named for
// /health, measured, and closed with the service.

import { type ProcessName, processes, queueNames } from '@rushlight/contracts';
import { type Bus, type BusHooks, openPostgresBus, openRabbitBus } from './bus/index.ts';
import { type Cache, createMemoryCache, createSteadyCache, openRedisCache } from './cache/index.ts';
import type { ServiceConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { type Client, createClient } from './http/client.ts';
import type { Dependency } from './http/operations.ts';
import type { ServiceTokens } from './http/service-token.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { type OnOperation, openPostgres, type PostgresStore, startRelay } from './store/index.ts';
import { UnavailableError } from './store/store.ts';
import { traceBus } from './tracing/traced-bus.ts';
import type { Tracer } from './tracing/tracer.ts';

export type Neighbours = {
  /** Opens a database of ours and brings it to the newest schema. */
  openStore(options: {
    url: string | undefined;
    migrations: URL;
    name?: string;
  }): Promise<PostgresStore>;
  openBus(): Promise<Bus>;
  /** The cache that all replicas share, or one of this process where there is none. */
  openCache(): Promise<Cache>;
  /** Publishes from now on what the store's transactions emit. */
  startRelay(store: PostgresStore, bus: Bus): void;
  /** A client of another service, which becomes a (not needed) dependency of ours. */
  client(target: ProcessName): Client;
};

const openMsMax = 10_000;
const openPauseMs = 50;

type Parts = {
  config: ServiceConfig;
  env: Environment;
  log: Log;
  metrics: Metrics;
  tracer: Tracer | undefined;
  tokens: ServiceTokens;
  own: (what: string, close: () => Promise<void> | void) => void;
  dependsOn: (dependency: Dependency) => void;
};

export function createNeighbours(parts: Parts): Neighbours {
  const { config, env, log, metrics, tracer, tokens, own, dependsOn } = parts;
  return {
    openStore: async ({ url, migrations, name = config.service }) => {
      if (!url) throw new Error(`${config.service} needs a database: set RUSHLIGHT_DATABASE_URL`);
      const onOperation: OnOperation = (operation, outcome, durationS) => {
        metrics.count('db_operations_total', { operation, outcome });
        metrics.observe('db_operation_duration_seconds', { operation }, durationS);
      };
      const sizeMax = config.databaseConnectionsMax;
      const options = { url, name, env, log, sizeMax, migrations, onOperation, tracer };
      const store = await onceUp(env, () => openPostgres(options));
      watchConnections(store, metrics);
      own(`database ${name}`, () => store.close());
      dependsOn({ name: `database:${name}`, needed: true, check: () => store.ping() });
      return store;
    },
    openBus: async () => {
      if (!config.busUrl) throw new Error('A bus is needed: set RUSHLIGHT_BUS_URL');
      const hooks: BusHooks = {
        onPublished: (topic, messages) =>
          metrics.count('bus_messages_published_total', { topic }, messages),
        onConsumed: (topic, outcome) =>
          metrics.count('bus_messages_consumed_total', { topic, outcome }),
      };
      const url = config.busUrl;
      const options = { url, name: config.instance, env, log, hooks };
      // What the bus brings can wait; what a service answers at once cannot.
      const opened = /^amqps?:/.test(url)
        ? await openRabbitBus({ ...options, connectsLater: true })
        : await onceUp(env, () => openPostgresBus(options));
      const bus = tracer ? traceBus(opened, tracer) : opened;
      watchBus(config.service, bus, metrics);
      own('bus', () => bus.close());
      dependsOn({ name: 'bus', needed: false, check: () => bus.ping() });
      return bus;
    },
    openCache: async () => {
      const cache = await openCache(parts);
      own('cache', () => cache.close());
      if (config.cacheUrl) {
        dependsOn({ name: 'cache', needed: false, check: () => cache.ping() });
      }
      return cache;
    },
    startRelay: (store, bus) => {
      const relay = startRelay({ outbox: store.outbox, bus, env, log });
      own('relay', () => relay.close());
      metrics.onScrape(async () => metrics.set('outbox_depth', {}, await store.outbox.depth()));
    },
    client: (target) => {
      const urls = config.serviceUrls[target];
      if (!urls) throw new Error(`RUSHLIGHT_SERVICE_URLS names no ${target}`);
      if (!(processes[config.service].calls as readonly string[]).includes(target)) {
        throw new Error(`${config.service} may not call ${target}: see the table of services`);
      }
      const client = createClient({ target, urls, tokens, env, log, metrics });
      own(`client of ${target}`, () => client.close());
      dependsOn({ name: target, needed: false, check: () => client.ping() });
      return client;
    },
  };
}

/** Nobody waits for a Redis: while it is gone, each process goes by what it knows itself. */
async function openCache({ config, env, log, metrics }: Parts): Promise<Cache> {
  const kept = createMemoryCache({ env });
  if (!config.cacheUrl) return kept;
  const shared = await openRedisCache({
    url: config.cacheUrl,
    env,
    onState: (up, why) => {
      if (up) log.info({}, 'the cache is there');
      else
        log.warn({ why }, 'the cache does not answer; this process goes by what it knows itself');
    },
  });
  const counts = {
    shared: metrics.counter('cache_operations_total', { where: 'shared' }),
    own: metrics.counter('cache_operations_total', { where: 'own' }),
  };
  return createSteadyCache({ shared, own: kept, onDone: (where) => counts[where].inc() });
}

/**
 * Opens what may be starting together with us. To wait here is cheaper than to end and be started
 * again, and after a crash of everything it is what decides how soon we sell.
 */
async function onceUp<T>(env: Environment, open: () => Promise<T>): Promise<T> {
  const endMs = env.monotonicMs() + openMsMax;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof UnavailableError) || env.monotonicMs() > endMs) throw error;
      await env.sleep(openPauseMs);
    }
  }
}

/** Every service says the same of a Postgres that they share; whoever is up says it. */
function watchConnections(store: PostgresStore, metrics: Metrics): void {
  metrics.onScrape(async () => {
    const [seen] = await store.query<{ open: number; most: number }>({
      name: 'chassis_connections',
      text: `SELECT sum(numbackends)::bigint AS open, current_setting('max_connections')::int AS most
             FROM pg_stat_database`,
    });
    metrics.set('postgres_connections', {}, seen?.open ?? Number.NaN);
    metrics.set('postgres_connections_max', {}, seen?.most ?? Number.NaN);
  });
}

/** A service reports the depth and the dead letters of its own queue. */
function watchBus(name: ProcessName, bus: Bus, metrics: Metrics): void {
  const queue = queueNames.find((queueName) => queueName === name);
  if (!queue) return;
  metrics.onScrape(async () => {
    metrics.set('bus_queue_depth', { queue }, await bus.depth(queue));
    metrics.set('bus_queue_oldest_seconds', { queue }, (await bus.oldestMs(queue)) / 1_000);
    const counts = await bus.deadLetters.counts();
    const dead = counts.find((entry) => entry.queue === queue)?.count ?? 0;
    metrics.set('dead_letters', { queue }, dead);
  });
}
