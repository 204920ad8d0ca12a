// The monitor: wiring only.

import { join } from 'node:path';
import {
  type Authenticate,
  createKeySource,
  createServiceTokens,
  createUserTokens,
  type PublicKeys,
  Revocations,
  runService,
  type Service,
  type UserTokens,
} from '@rushlight/chassis';
import { identityApi, monitorApi } from '@rushlight/contracts';
import { startAlerting } from './alerting/alert-loop.ts';
import { fileKeeper } from './alerting/kept-state.ts';
import { createNotifiers } from './alerting/notifiers.ts';
import { RecordedSeries } from './alerting/recorded-series.ts';
import { authenticateMonitor } from './api/authenticate.ts';
import { monitorHandlers } from './api/handlers.ts';
import { LogFeed } from './api/log-feed.ts';
import { serveQueryLanguages } from './api/query-languages.ts';
import { createLooking, type Looking } from './api/unusual.ts';
import { startOtlpServer } from './otlp-server.ts';
import { countedIntake, countRequests, countScrapes, watchStore } from './own-metrics.ts';
import { evaluateInstant } from './promql/evaluate.ts';
import { createQueryApi } from './promql/query-api.ts';
import { Scraper } from './scrape/scraper.ts';
import { type Settings, settings } from './settings.ts';
import type { TelemetryIntake, TelemetryStore } from './store/face.ts';
import { openTelemetryStore } from './store/telemetry-store.ts';
import { startLogTail } from './tail/log-tail.ts';
import { openTargets } from './targets.ts';

type Monitor = Service<Settings>;

const hourMs = 3_600_000;
const keysEveryMs = 60_000;
const revocationsEveryMs = 5_000;
const startsWithinMs = 15_000;
const startingEveryMs = 1_000;
const lookEveryMs = 60_000;

let users: UserTokens | undefined;
let authenticate: Authenticate | undefined;

/** Takes the tokens of users too, from when identity has given its keys. */
function watchUsers(service: Monitor): void {
  const { config, env, metrics } = service;
  if (config.serviceUrls.identity === undefined) return;
  const identity = service.client('identity');
  const revocations = new Revocations();
  const deadline = { deadlineMs: 1_000 };
  const endMs = env.monotonicMs() + startsWithinMs;
  /** Identity may be starting together with us; that is not worth a line in the log. */
  const patiently = (work: () => Promise<void>) => async (): Promise<void> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (env.monotonicMs() > endMs) throw error;
        await env.sleep(startingEveryMs);
      }
    }
  };
  const keys = createKeySource(env, async () => {
    const reply = await identity.call(identityApi.jwks, {}, deadline);
    return reply.body as unknown as PublicKeys;
  });
  const readRevocations = async (): Promise<void> => {
    const reply = await identity.call(identityApi.revocations, {}, deadline);
    revocations.add(reply.body.revocations);
    revocations.forgetExpired(env.nowMs() / 1000);
  };
  service.every(
    'read keys',
    keysEveryMs,
    patiently(() => keys.refresh()),
  );
  service.every('read revocations', revocationsEveryMs, patiently(readRevocations));
  users = createUserTokens({ env, keys, revocations, metrics });
}

async function openStore(service: Monitor): Promise<TelemetryStore> {
  const { config, settings: mine, env, log, own } = service;
  const store = await openTelemetryStore({
    folder: join(config.dataFolder, 'telemetry'),
    env,
    log,
    retention: {
      spansMs: mine.RUSHLIGHT_MONITOR_KEEP_HOURS * hourMs,
      logsMs: mine.RUSHLIGHT_MONITOR_KEEP_HOURS * hourMs,
      samplesMs: mine.RUSHLIGHT_MONITOR_KEEP_METRICS_HOURS * hourMs,
      fileBytesMax: mine.RUSHLIGHT_MONITOR_DISK_MB_MAX,
    },
  });
  own('telemetry store', async () => {
    await store[Symbol.asyncDispose]();
  });
  service.dependsOn({
    name: 'telemetry store',
    needed: false,
    check: async () => {
      const { status, why } = store.state();
      if (status !== 'open') throw new Error(`The store is ${status}: ${why}`);
    },
  });
  return store;
}

/** The store's intake, with whoever watches logs live beside it. */
function intakeOf(store: TelemetryStore, feed: LogFeed): TelemetryIntake {
  const { intake } = store;
  return {
    spans: (records) => intake.spans(records),
    samples: (records) => intake.samples(records),
    logs: (records) => {
      intake.logs(records);
      feed.publish(records);
    },
  };
}

async function judge(service: Monitor, store: TelemetryStore) {
  const { config, settings: mine, env, log, metrics, own } = service;
  const recorded = new RecordedSeries();
  const series = recorded.over(store.series);
  const link = mine.RUSHLIGHT_MONITOR_ALERTS_LINK;
  const alerting = await startAlerting({
    evaluate: (expr, atMs, signal) =>
      evaluateInstant(expr, atMs, series, signal === undefined ? {} : { signal }),
    recorded,
    record: countedIntake(store.intake, metrics, 'rules').samples,
    env,
    log,
    notifiers: createNotifiers(mine, env),
    keeper: fileKeeper(config.dataFolder, log),
    ...(link === undefined ? {} : { link }),
    repeatMs: mine.RUSHLIGHT_MONITOR_ALERTS_REPEAT_S * 1000,
  });
  own('alerting', () => alerting.close());
  return { alerting, series };
}

/** Follows log files where there are some; that it catches up first holds nobody up. */
function followLogs(service: Monitor, store: TelemetryStore, intake: TelemetryIntake): void {
  const { config, settings: mine, env, log, metrics, own } = service;
  const folder = mine.RUSHLIGHT_MONITOR_LOG_FOLDER;
  if (folder === undefined) return;
  const starting = startLogTail({
    folder,
    offsetsPath: join(config.dataFolder, 'log-offsets.json'),
    store: {
      intake: countedIntake(intake, metrics, 'files'),
      flush: () => store.flush(),
      state: () => store.state(),
      rows: (sql, parameters, options) => store.rows(sql, parameters, options),
    },
    env,
    log,
  });
  starting.catch((error: unknown) => log.error({ folder, error }, 'no logs are followed'));
  own('log files', async () => {
    const tail = await starting.catch(() => undefined);
    await tail?.[Symbol.asyncDispose]();
  });
}

async function watchTargets(service: Monitor, intake: TelemetryIntake) {
  const { config, settings: mine, env, log, metrics, server, own } = service;
  const allowPrivateAddresses = mine.RUSHLIGHT_MONITOR_PRIVATE_TARGETS;
  const scraper = new Scraper({
    ...{ env, log, allowPrivateAddresses },
    intake: countedIntake(intake, metrics, 'scrape'),
    onScrape: countScrapes(metrics),
  });
  own('scraper', () => scraper[Symbol.asyncDispose]());
  const targets = await openTargets({
    ...{ scraper, log, allowPrivateAddresses, folder: config.dataFolder },
    ...{ serviceUrls: config.serviceUrls, intervalS: mine.RUSHLIGHT_MONITOR_SCRAPE_S },
  });
  server.app.addHook('onListen', async () => {
    const address = server.app.server.address();
    if (typeof address !== 'object' || address === null) return;
    targets.addSelf(`http://127.0.0.1:${address.port}`);
  });
  return targets;
}

/** So that who asks what is unusual need not wait for two hours of figures to be read. */
function keepLooking(service: Monitor, looking: Looking): void {
  let isRested = false;
  service.every('look for what is unusual', lookEveryMs, async () => {
    if (isRested) await looking(); // Not at the start: others start as well.
    isRested = true;
  });
}

await runService({
  settings,
  authenticate: ({ config, env, settings: { RUSHLIGHT_MONITOR_TOKEN: token } }) => {
    authenticate = authenticateMonitor(createServiceTokens(config, env), () => users, token);
    return authenticate;
  },
  start: async (service) => {
    const { env, log, metrics, server } = service;
    watchUsers(service);
    const store = await openStore(service);
    watchStore(store, metrics);
    const feed = new LogFeed(env);
    server.app.addHook('preClose', async () => feed.close());
    const intake = intakeOf(store, feed);
    followLogs(service, store, intake);
    const { alerting, series } = await judge(service, store);
    const targets = await watchTargets(service, intake);
    const otlp = await startOtlpServer({
      host: service.config.listenHost,
      port: service.settings.RUSHLIGHT_MONITOR_OTLP_PORT,
      intake: countedIntake(intake, metrics, 'otlp'),
      onRequest: countRequests(metrics),
      env,
      log,
    });
    service.own('OTLP server', () => otlp.close());
    const parts = { env, log, store, series, alerting, targets, feed, otlpPort: otlp.port };
    const looking = createLooking(parts);
    keepLooking(service, looking);
    server.handle(monitorApi, monitorHandlers(parts, looking));
    const queries = createQueryApi({ series, logs: store.logs, nowMs: env.nowMs });
    if (authenticate) await serveQueryLanguages(server.app, queries, authenticate);
  },
});
