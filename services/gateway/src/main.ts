// The gateway: wiring only.

import {
  type Cache,
  type Client,
  createAdmission,
  createClient,
  createKeySource,
  createServiceTokens,
  createUserTokens,
  type Environment,
  Revocations,
  readShared,
  realEnvironment,
  revocationsKept,
  runService,
  type Service,
  type UserTokens,
} from '@rushlight/chassis';
import {
  type EngineName,
  identityApi,
  inventoryApi,
  monitorApiAtGateway,
  publicApi,
} from '@rushlight/contracts';
import type { JSONWebKeySet } from 'jose';
import { createAudit } from './audit-report.ts';
import { serveConsole } from './console-files.ts';
import { createDeadLetters } from './dead-letters.ts';
import { serveDocs } from './docs.ts';
import { createLab } from './lab.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { createMenu } from './menu.ts';
import { createMonitorRoutes } from './monitor.ts';
import { createObserver } from './observer.ts';
import { createParts } from './parts.ts';
import { createPlaceOrder } from './place-order.ts';
import { createRoutes, serveApi } from './routes.ts';
import { type Settings, settings } from './settings.ts';
import { StockView } from './stock-view.ts';
import { createStreams } from './streams.ts';

const loop = watchLoopDelay(realEnvironment);
let tokens: UserTokens | undefined;
let admission: ReturnType<typeof createAdmission> | undefined;

const neighbourMsMax = 3_000;
const neighbourPollMs = 25;
const revocationsSharedMs = 1_500;
/** Twenty gateways ask inventory about as often as one does, which asks twice a second. */
const stockKept = { key: 'stock:1', times: { claimMs: 300, keepMs: 450 } };

type Gateway = Service<Settings>;
type Clients = ReturnType<typeof openClients>;

function openClients({ client }: Gateway) {
  return {
    identity: client('identity'),
    inventory: client('inventory'),
    orders: client('orders'),
    payments: client('payments'),
    kitchen: client('kitchen'),
    notifications: client('notifications'),
  };
}

function openLauncher({ config, env, metrics, own }: Gateway) {
  if (config.launcherUrl === undefined) return undefined;
  const ownTokens = createServiceTokens(config, env);
  const client = createClient({
    target: 'launcher',
    urls: [config.launcherUrl],
    tokens: ownTokens,
    env,
    metrics,
  });
  own('client of launcher', () => client.close());
  return client;
}

function enginesOf({ busUrl, cacheUrl }: Gateway['config']) {
  const busEngine = busUrl?.startsWith('amqp') ? ('rabbitmq' as const) : ('postgres' as const);
  const further = cacheUrl === undefined ? [] : (['redis'] as const);
  return { busEngine, engines: [...new Set<EngineName>(['postgres', busEngine, ...further])] };
}

/**
 * Waits until it answers, though not for long: the launcher starts us together, and whoever is told
 * that all is ready wants to log in.
 */
async function waitFor(client: Client, env: Environment): Promise<void> {
  const endMs = env.monotonicMs() + neighbourMsMax;
  while (env.monotonicMs() < endMs) {
    const isUp = await client.ping().then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await env.sleep(neighbourPollMs);
  }
}

/** Reads every `everyMs`, and again soon after a reading that failed. */
function readNowAndThen(
  service: Gateway,
  what: string,
  everyMs: number,
  read: () => Promise<void>,
): void {
  let readMs = Number.NEGATIVE_INFINITY;
  service.every(`read ${what}`, Math.min(everyMs, 2_000), async () => {
    const nowMs = service.env.monotonicMs();
    if (nowMs - readMs < everyMs) return;
    await read();
    readMs = nowMs;
  });
}

/** Keys, revocations and what is left: filled now, kept up by hints, and read anew now and then. */
async function openViews(service: Gateway, clients: Clients, cache: Cache) {
  const { env, metrics, log } = service;
  const deadline = { deadlineMs: 1_000 };
  const keys = createKeySource(env, async () => {
    const reply = await clients.identity.call(identityApi.jwks, {}, deadline);
    return reply.body as unknown as JSONWebKeySet;
  });
  const revocations = new Revocations();
  const askRevocations = async () =>
    (await clients.identity.call(identityApi.revocations, {}, deadline)).body.revocations;
  const readRevocations = async (read: () => ReturnType<typeof askRevocations>): Promise<void> => {
    revocations.add(await read());
    revocations.forgetExpired(env.nowMs() / 1000);
  };
  const shareRevocations = async () =>
    (await readShared({ cache, env, ...revocationsKept, read: askRevocations })).value;
  const view = new StockView({
    env,
    read: () =>
      readShared({
        ...{ cache, env, ...stockKept },
        read: async () =>
          (await clients.inventory.call(inventoryApi.stock, {}, deadline)).body.items,
      }),
  });
  const bus = await service.openBus();
  if (service.config.launcherUrl !== undefined) await waitFor(clients.identity, env);
  const missed = (what: string) => (error: unknown) => log.warn({ what, error }, 'not read anew');
  const hints = bus.listen(
    ['token.revoked', 'stock.changed', 'item.changed'],
    (message) => {
      if (message.topic === 'token.revoked') revocations.add(message.events);
      else if (message.topic === 'stock.changed') view.hearStock(message.events);
      else view.hearItems(message.events);
    },
    () => {
      readRevocations(askRevocations).catch(missed('revocations'));
      view.refresh().catch(missed('stock'));
    },
  );
  service.own('hints', () => hints.close());
  const resyncMs = service.settings.RUSHLIGHT_GATEWAY_RESYNC_S * 1000;
  // Asking the cache is cheap, and identity deletes there what is no longer true.
  const revocationsMs = service.config.cacheUrl ? revocationsSharedMs : resyncMs;
  readNowAndThen(service, 'revocations', revocationsMs, () => readRevocations(shareRevocations));
  readNowAndThen(service, 'stock', resyncMs, () => view.refresh());
  readNowAndThen(service, 'keys', 60_000, () => keys.refresh());
  tokens = createUserTokens({ env, keys, revocations, metrics });
  return { bus, view };
}

await runService({
  settings,
  authenticate: () => (request, route) => tokens?.authenticate(request, route),
  admit: (priority) => admission?.enter(priority) ?? (() => undefined),
  start: async (service) => {
    const { config, env, log, metrics, server } = service;
    const { settings: mine } = service;
    const inFlightMax = mine.RUSHLIGHT_GATEWAY_IN_FLIGHT_MAX;
    admission = createAdmission({ inFlightMax, delayMs: loop.now, delayMsMax: 500 });
    service.own('loop delay', () => loop.close());
    const clients = openClients(service);
    const launcher = openLauncher(service);
    const cache = await service.openCache();
    const { bus, view } = await openViews(service, clients, cache);
    const observer = createObserver({ env, metrics, cache, instance: config.instance });
    observer.watch(server.app);
    if (config.cacheUrl !== undefined) service.every('tell what was seen', 1_000, observer.tell);

    const placeOrder = createPlaceOrder({
      env,
      log,
      metrics,
      orders: clients.orders,
      view,
      cache,
      rate: {
        ratePerS: mine.RUSHLIGHT_GATEWAY_ORDERS_PER_S,
        burst: mine.RUSHLIGHT_GATEWAY_ORDERS_BURST,
      },
      onKeyReused: observer.markKeyReused,
    });
    service.own('batches of orders', () => placeOrder.close());
    const streams = createStreams({ streamsMax: mine.RUSHLIGHT_GATEWAY_STREAMS_MAX });
    server.app.addHook('preClose', async () => streams.close());
    const { serviceUrls: urls, instance } = config;
    const parts = createParts({ env, log, urls, instance, bus, launcher, ...enginesOf(config) });
    const audit = createAudit({ env, clients });

    const handlers = createRoutes({
      own: {
        placeOrder: placeOrder.handle,
        menu: createMenu({ env, inventory: clients.inventory, view }),
        latency: observer.latency,
        throughput: observer.throughput,
        listServices: async () => ({ status: 200, body: await parts() }),
        audit: async () => ({ status: 200, body: await audit() }),
        ...createDeadLetters(bus),
        ...createLab({ ...clients, launcher }),
      },
      clients,
      streams,
      trustProxy: mine.RUSHLIGHT_GATEWAY_TRUST_PROXY,
    });
    serveApi(server, config.lab, handlers);
    const isWatched = config.serviceUrls.monitor !== undefined;
    if (isWatched) {
      const trustProxy = mine.RUSHLIGHT_GATEWAY_TRUST_PROXY;
      const monitor = { client: service.client('monitor'), streams, trustProxy };
      server.handle(monitorApiAtGateway, createMonitorRoutes(monitor));
    }
    await serveDocs(server.app, isWatched ? { ...publicApi, ...monitorApiAtGateway } : publicApi);
    await serveConsole(server.app, mine.RUSHLIGHT_GATEWAY_CONSOLE);
  },
});
