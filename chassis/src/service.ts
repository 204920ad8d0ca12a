// How any service lives: configuration at the door, start, ready, drain on SIGTERM, stop in reverse.
//
// L1. What was opened is closed, in reverse order, also after half a start.
// L2. Not ready before everything is open; not ready again before anything closes.
// L3. A service never outlives whoever runs it: when the launcher's channel closes, it drains.
// L4. A service that is told to stop goes on answering for a while, and says with each answer that it is
//     leaving: whoever calls it goes to another replica before it closes.
// L5. An error that nobody caught ends the process. It starts again clean.

import { flushCompileCache } from 'node:module';
import type { Priority } from '@rushlight/contracts';
import { z } from 'zod';
import { flag, readConfig, type ServiceConfig } from './config.ts';
import { watchDisk } from './disk.ts';
import { type Environment, realEnvironment } from './environment.ts';
import { addOperations, type Dependency } from './http/operations.ts';
import { type Authenticate, authenticateService } from './http/principal.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { createServiceTokens } from './http/service-token.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createNeighbours, type Neighbours } from './neighbours.ts';
import { openTraces } from './tracing/traces.ts';

export type Service<S> = Neighbours & {
  config: ServiceConfig;
  settings: S;
  env: Environment;
  log: Log;
  metrics: Metrics;
  server: HttpServer;
  /** Says how to close what was just opened. */
  own(what: string, close: () => Promise<void> | void): void;
  /** Names a neighbour for /health; `needed` when nothing works without it. */
  dependsOn(dependency: Dependency): void;
  /** Runs until the service closes: `work` every `everyMs`; a failure is logged, never fatal. */
  every(what: string, everyMs: number, work: () => Promise<void>): void;
};

export type ServiceOptions<S extends z.ZodObject> = {
  /** The service's own variables, by their full names. */
  settings: S;
  start: (service: Service<z.output<S>>) => Promise<void>;
  /** Who may call; other services of ours unless given. */
  authenticate?: (
    service: Pick<Service<z.output<S>>, 'config' | 'env' | 'settings'>,
  ) => Authenticate;
  admit?: (priority: Priority) => () => void;
};

const Common = z.object({
  RUSHLIGHT_METRICS_OPEN: flag.default(false),
  /** Ordinary traces to keep: so many of orders, and as many of all other requests together. */
  RUSHLIGHT_TRACES_PER_S: z.coerce.number().min(0).max(10_000).default(20),
  /** How long to go on answering when told to stop (L4). */
  RUSHLIGHT_DRAIN_MS: z.coerce.number().int().min(0).max(5_000).default(0),
});
const stopMsMax = 8_000;

/** Runs a service as this process, until SIGTERM, SIGINT or the loss of the launcher. */
export async function runService<S extends z.ZodObject>(options: ServiceOptions<S>): Promise<void> {
  const read = readOrExit(options.settings);
  const { config } = read;
  const log = createLog({ ...config, level: config.logLevel });
  const releases: { what: string; close: () => Promise<void> | void }[] = [];
  const hasLauncher = process.connected;
  let ready = false;
  let stopping: Promise<void> | undefined;

  /** Where nobody is left who would end a process that hangs in its exit, none is made (L3). */
  const exit = (code: number): void => {
    if (hasLauncher && !process.connected) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  };
  const stop = (why: string, code: number): Promise<void> => {
    stopping ??= (async () => {
      const leaves = ready && code === 0; // L4
      ready = false;
      log.info({ why }, 'stopping');
      setTimeout(() => exit(code || 1), stopMsMax).unref();
      if (leaves) {
        service.server.drain();
        await service.env.sleep(read.drainMs);
      }
      for (const { what, close } of releases.splice(0).reverse()) {
        await Promise.resolve(close()).catch((error) =>
          log.error({ what, error }, 'did not close'),
        );
      }
      log.info({}, 'stopped');
      exit(code);
    })();
    return stopping;
  };
  const fail = (error: unknown): void => {
    log.error({ error }, 'an error that nobody caught; the process ends');
    void stop('error', 1);
  };
  process.once('SIGTERM', () => void stop('SIGTERM', 0));
  process.once('SIGINT', () => void stop('SIGINT', 0));
  process.once('disconnect', () => void stop('the launcher is gone', 0));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  const service = makeService(read, log, options, releases, () => ready);
  try {
    await options.start(service);
    const port = await service.server.listen(config.listenHost, config.listenPort);
    if (config.listenFd !== undefined) await service.server.listenOn(config.listenFd);
    releases.push({ what: 'HTTP server', close: () => service.server.close() });
    ready = true;
    log.info({ port }, 'ready');
    process.send?.({ type: 'ready', port });
    // Kept now and not at the exit: who is killed comes back sooner.
    setImmediate(flushCompileCache);
  } catch (error) {
    log.error({ error }, 'could not start');
    await stop('could not start', 1);
  }
}

function readOrExit<S extends z.ZodObject>(settings: S) {
  try {
    const read = readConfig(settings);
    const common = readConfig(Common).settings;
    return {
      ...read,
      metricsOpen: common.RUSHLIGHT_METRICS_OPEN,
      tracesPerS: common.RUSHLIGHT_TRACES_PER_S,
      drainMs: common.RUSHLIGHT_DRAIN_MS,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(78);
  }
}

function makeService<S extends z.ZodObject>(
  read: ReturnType<typeof readOrExit<S>>,
  log: Log,
  options: ServiceOptions<S>,
  releases: { what: string; close: () => Promise<void> | void }[],
  isReady: () => boolean,
): Service<z.output<S>> {
  const { config, settings } = read;
  const env = realEnvironment;
  const metrics = createMetrics(config);
  watchDisk(config.dataFolder, metrics);
  const tokens = createServiceTokens(config, env);
  const dependencies: Dependency[] = [];
  const own = (what: string, close: () => Promise<void> | void): void =>
    void releases.push({ what, close });
  const tracer = openTraces({ config, keptPerS: read.tracesPerS, env, log, metrics, own });
  const server = createHttpServer({
    authenticate: options.authenticate?.({ config, env, settings }) ?? authenticateService(tokens),
    log,
    metrics,
    lab: config.lab,
    monotonicMs: env.monotonicMs,
    after: env.after,
    trustsCallers: options.authenticate === undefined,
    tracer,
    ...(options.admit ? { admit: options.admit } : {}),
  });
  const { metricsOpen } = read;
  addOperations(server.app, { dependencies, isReady, metrics, metricsOpen });
  const dependsOn = (dependency: Dependency): void => void dependencies.push(dependency);

  return {
    config,
    settings,
    env,
    log,
    metrics,
    server,
    own,
    dependsOn,
    ...createNeighbours({ config, env, log, metrics, tracer, tokens, own, dependsOn }),
    every: (what, everyMs, work) => own(what, repeat(env, log, what, everyMs, work)),
  };
}

/** Repeats `work` with a pause between, until the returned function; waits for a run that goes on. */
function repeat(
  env: Environment,
  log: Log,
  what: string,
  everyMs: number,
  work: () => Promise<void>,
): () => Promise<void> {
  const abort = new AbortController();
  const loop = async (): Promise<void> => {
    for (let failures = 0; !abort.signal.aborted; ) {
      // An outage is two lines in the log, however long it is and however often we look.
      await work().then(
        () => {
          if (failures > 0) log.info({ what, failures }, 'works again');
          failures = 0;
        },
        (error) => {
          failures += 1;
          if (failures === 1) log.warn({ what, error }, 'failed; it runs again');
        },
      );
      await env.sleep(everyMs, abort.signal).catch(() => undefined);
    }
  };
  const running = loop();
  return async () => {
    abort.abort();
    await running;
  };
}
