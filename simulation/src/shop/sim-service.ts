// What the chassis gives a service, for one life of a simulated process.

import {
  type Bus,
  type Client,
  createBreaker,
  type Environment,
  type Log,
  type MemoryBroker,
  type MemoryBus,
  type MemoryLedger,
  type Metrics,
  type Outbox,
  type Service,
  silentLog,
  startRelay,
  toApiError,
  UnavailableError,
  type User,
} from '@rushlight/chassis';
import type { Route } from '@rushlight/contracts';
import type { SimProcess } from '../engine/process.ts';
import type { Settings } from '../settings.ts';
import type { Composition } from './composition.ts';
import { Disk, type Weather } from './disk.ts';
import { flakyBus } from './flaky-bus.ts';
import type { Network } from './network.ts';
import type { SimServiceName } from './process-names.ts';

export const silentMetrics: Metrics = {
  count() {},
  counter: () => ({ inc() {} }),
  set() {},
  observe() {},
  series: () => ({ observe() {} }),
  onScrape() {},
  expose: async () => ({ contentType: 'text/plain', text: '' }),
};

/** What all processes of a run share. */
export type Surroundings = {
  settings: Settings;
  weather: Weather;
  network: Network;
  broker: MemoryBroker;
  composition: Composition;
};

type Serve = (input: unknown, context: unknown) => Promise<unknown>;
type Answer = { status: number; body?: unknown };

/** The HTTP side of a process: which route is answered by what, in its present life. */
export class Door {
  readonly #routes = new Map<Route, Serve>();

  /** Puts the routes of a life in place of those of the one before. */
  handle(routes: object, handlers: object): void {
    for (const [name, route] of Object.entries(routes)) {
      const serve = (handlers as Record<string, Serve>)[name];
      if (serve) this.#routes.set(route as Route, serve);
    }
  }

  async serve(
    route: Route,
    call: object,
    options: { user?: User; deadlineAtMs: number },
    nowMs: () => number,
  ): Promise<Answer> {
    const serve = this.#routes.get(route);
    if (!serve) throw new Error(`nobody answers ${route.path}`);
    const request = { method: route.method, routeOptions: { url: route.path } };
    const context = {
      principal: options.user ?? { kind: 'service', name: 'gateway' },
      log: silentLog,
      remainingMs: () => options.deadlineAtMs - nowMs(),
      request,
    };
    try {
      return (await serve({ ...withoutInput, ...call }, context)) as Answer;
    } catch (error) {
      // As the server tells it: what a service does not know of itself its caller does not learn.
      throw toApiError(error, request as never, silentLog);
    }
  }
}

const withoutInput = { params: {}, query: {}, headers: {}, body: undefined };

/** One process of the shop, through all its lives. */
export class SimService {
  readonly name: SimServiceName;
  readonly process: SimProcess;
  readonly door = new Door();
  readonly #around: Surroundings;
  readonly #ledger: MemoryLedger | undefined;
  #wakeRelay: (() => void) | undefined;
  #bus: MemoryBus | undefined;

  constructor(process: SimProcess, around: Surroundings, ledger?: MemoryLedger) {
    this.process = process;
    this.name = process.name as SimServiceName;
    this.#around = around;
    this.#ledger = ledger;
    ledger?.outbox.onWritten(() => this.#wakeRelay?.());
    process.onCrash.push(() => {
      this.#wakeRelay = undefined;
      this.#bus?.crash();
      ledger?.dropClaims();
      around.network.breakConnections(process);
    });
  }

  /** What a service's `start` is given, for the life that begins now. */
  begin(): Life {
    const { composition, broker } = this.#around;
    const bare = this.process.environment();
    const env = composition.environment?.(this.name, bare) ?? bare;
    this.#bus = broker.connect();
    const bus = this.#composed(flakyBus(this.#bus, this.process, bare, this.#around));
    const life: Life = {
      env,
      bus,
      disk: new Disk(this.process, bare, this.#around),
      log: this.#log(),
      metrics: silentMetrics,
      own: () => undefined,
      every: (what, everyMs, work) => this.#repeat(env, what, everyMs, work),
    };
    if (this.#ledger) this.#relay(this.#ledger.outbox, life);
    return life;
  }

  /** The way from this process to another one. */
  client(to: SimService, env: Environment): Client {
    const { network } = this.#around;
    const breaker = createBreaker({ target: to.name, env });
    const call = (
      route: Route,
      given: object,
      options: { deadlineMs?: number; user?: User } = {},
    ) => {
      const { deadlineMs = 2_000, user } = options;
      const deadlineAtMs = env.monotonicMs() + deadlineMs;
      const serve = (): Promise<Answer> =>
        to.door.serve(route, given, { ...(user ? { user } : {}), deadlineAtMs }, env.monotonicMs);
      const what = `${route.method} ${route.path}`;
      return breaker.run(() => network.call(this.process, to.process, what, deadlineMs, serve));
    };
    // The rest of a client is for routes that the protocol does not use, and is missed aloud.
    const absent = (name: string) => (): never => {
      throw new Error(`the simulated client of ${to.name} has no ${name}`);
    };
    return {
      ...{
        target: to.name,
        call: call as Client['call'],
        replicas: 1,
        replicaOf: () => 0,
        close: async () => undefined,
      },
      ...{ forward: absent('forward'), stream: absent('stream'), ping: absent('ping') },
    };
  }

  #composed(bus: Bus): Bus {
    const { handler } = this.#around.composition;
    if (!handler) return bus;
    return {
      ...bus,
      consume: (queue, handle, options) => {
        const composed = handler(queue, async ([message]) => message && handle(message));
        return bus.consume(queue, (message) => composed([message]), options);
      },
      consumeBatches: (queue, handle, options) =>
        bus.consumeBatches(queue, handler(queue, handle), options),
    };
  }

  #relay(outbox: Outbox, life: Life): void {
    const { settings, weather } = this.#around;
    const { world } = this.process;
    const carried = (count: number): number => {
      // Asked so often of an empty table, failures would be most of what happens.
      if (count > 0 && weather.faulty && life.env.random() < settings.storeFailedRate) {
        world.count('store_failed');
        throw new UnavailableError('store', 'the outbox cannot be read');
      }
      return count;
    };
    startRelay({
      outbox: {
        depth: outbox.depth,
        onWritten: (wake) => {
          this.#wakeRelay = wake;
        },
        relay: async (limit, publish, olderThanMs) =>
          carried(await outbox.relay(limit, publish, olderThanMs)),
        relayNew: async (limit, publish) => carried(await outbox.relayNew(limit, publish)),
      },
      bus: life.bus,
      env: life.env,
      log: life.log,
      pollMs: 250 * settings.pace,
    });
  }

  #repeat(env: Environment, what: string, everyMs: number, work: () => Promise<void>): void {
    const { settings, weather } = this.#around;
    const isOff = (): boolean => what === 'resume' && weather.faulty && settings.resumer === 0;
    const loop = async (): Promise<never> => {
      for (;;) {
        if (!isOff()) await work().catch(() => undefined);
        await env.sleep(everyMs * settings.pace);
      }
    };
    void loop();
  }

  #log(): Log {
    const { story } = this.process.world;
    if (!story.tells) return silentLog;
    const say =
      (level: string) =>
      (fields: Record<string, unknown>, message: string): void => {
        const { error } = fields;
        const why = error instanceof Error ? `: ${error.message}` : '';
        story.say(this.name, () => `${level} ${message}${why}`);
      };
    return {
      debug: () => undefined,
      info: () => undefined,
      warn: say('warns:'),
      error: say('says:'),
    };
  }
}

export type Life = Pick<Service<unknown>, 'env' | 'log' | 'metrics' | 'own' | 'every'> & {
  bus: Bus;
  disk: Disk;
};
