// The whole shop: the tables that survive, the processes that do not, and how each is started.
//
// Everything here is the services' own code, put together as their `main.ts` does it; what stands in
// for the world around them is time, chance, the network, the disk and the bus.

import {
  createMemoryBroker,
  createMemoryCache,
  createMemoryLedger,
  type MemoryBus,
  type MemoryLedger,
  onDatabaseTime,
} from '@rushlight/chassis';
import { type EventOf, inventoryApi, type Topic } from '@rushlight/contracts';
import { createPlaceOrder, StockView } from '@rushlight/gateway/protocol';
import * as inventory from '@rushlight/inventory/protocol';
import * as kitchen from '@rushlight/kitchen/protocol';
import * as notifications from '@rushlight/notifications/protocol';
import * as orders from '@rushlight/orders/protocol';
import * as payments from '@rushlight/payments/protocol';
import { SimProcess } from '../engine/process.ts';
import { startMs, type World } from '../engine/world.ts';
import type { Settings } from '../settings.ts';
import type { Composition } from './composition.ts';
import { onDisk } from './disk.ts';
import { flakyProvider } from './flaky-provider.ts';
import { Network } from './network.ts';
import { outsiders, type ProcessName, type SimServiceName, serviceNames } from './process-names.ts';
import { type Life, SimService, type Surroundings } from './sim-service.ts';
import * as tables from './store-operations.ts';

export type StockMove = { atMs: number; itemId: string; by: number };

export class Shop {
  readonly world: World;
  readonly settings: Settings;
  readonly processes: Record<ProcessName, SimProcess>;
  readonly services: Record<SimServiceName, SimService>;
  readonly network: Network;
  readonly around: Surroundings;
  /** The bus as it is, for whoever sees everything. */
  readonly bus: MemoryBus;
  /** Each change of what can be sold, as it was committed. */
  readonly stockMoves: StockMove[] = [];
  /** Orders whose charge the provider turned down. */
  readonly declines: string[] = [];
  readonly ledgers: Partial<Record<SimServiceName, MemoryLedger>> = {};
  readonly orderStore: orders.OrderStore;
  readonly inventoryStore: inventory.InventoryStore;
  readonly paymentStore: payments.PaymentStore;
  readonly kitchenStore: kitchen.KitchenStore;
  readonly streamStore: notifications.StreamStore;
  readonly provider: payments.CardProvider;
  streams: notifications.Streams | undefined;
  placeOrder: ReturnType<typeof createPlaceOrder> | undefined;
  readonly #available = new Map<string, number>();

  constructor(world: World, settings: Settings, composition: Composition) {
    this.world = world;
    this.settings = settings;
    const names = [...serviceNames, ...outsiders] as const;
    this.processes = Object.fromEntries(
      names.map((name, index) => [name, new SimProcess(world, name, index)]),
    ) as Shop['processes'];
    for (const name of outsiders) this.processes[name].up = true;
    this.network = new Network(world, settings);
    const broker = createMemoryBroker({ env: this.processes.bus.environment() });
    this.bus = broker.connect();
    this.around = { settings, composition, broker, network: this.network, weather: this.network };
    this.services = Object.fromEntries(
      serviceNames.map((name) => [name, this.#service(name)]),
    ) as Shop['services'];
    this.orderStore = new orders.MemoryOrderStore(this.#ledger('orders'));
    this.inventoryStore = inventory.createMemoryStore(
      this.#emitOf('inventory'),
      () => world.wallMs,
    );
    this.paymentStore = new payments.MemoryPaymentStore(this.#emitOf('payments'));
    this.kitchenStore = new kitchen.MemoryKitchenStore(this.#emitOf('kitchen'));
    this.streamStore = new notifications.MemoryStreamStore(this.#ledger('notifications'));
    const declineRate = settings.declineRate;
    const nature = { ...payments.goodNatured, declineRate };
    const provider = payments.createMemoryProvider(this.processes.provider.environment(), nature);
    this.provider = this.#noting(composition.provider?.(provider) ?? provider);
  }

  /** What identity says of new students, as it says it. */
  async register(students: readonly EventOf<'user.registered'>[]): Promise<void> {
    const env = this.processes.bus.environment();
    const message = { id: env.newId(), topic: 'user.registered' as const, atMs: env.nowMs() };
    await this.bus.publish([{ ...message, events: [...students] }]);
  }

  /** Starts a process, or starts it again. */
  start(name: SimServiceName): void {
    const { process } = this.services[name];
    const life = process.epoch;
    const started = this.#boot(name);
    void started.then(() => {
      if (process.epoch === life) process.up = true;
    });
  }

  crash(name: SimServiceName): void {
    const { process } = this.services[name];
    process.crash();
    if (name === 'notifications') this.streams = undefined;
    if (name === 'gateway') this.placeOrder = undefined;
  }

  #boot(name: SimServiceName): Promise<void> {
    switch (name) {
      case 'inventory':
        return this.#bootInventory();
      case 'orders':
        return this.#bootOrders();
      case 'payments':
        return this.#bootPayments();
      case 'kitchen':
        return this.#bootKitchen();
      case 'notifications':
        return this.#bootNotifications();
      case 'gateway':
        return this.#bootGateway();
    }
  }

  async #bootOrders(): Promise<void> {
    const service = this.services.orders;
    const life = await this.#onDatabaseTime(service.begin());
    const { env, log, metrics } = life;
    const far = onDisk(life.disk, this.#orderTables(), tables.orderOperations);
    const { orderStore } = this.around.composition;
    const store = orderStore?.(far, this.#ledger('orders'), env) ?? far;
    const ask = orders.createNeighbours(
      service.client(this.services.inventory, env),
      service.client(this.services.kitchen, env),
    );
    const priceList = orders.createPriceList({ store, env, log, fetchMenu: ask.fetchMenu });
    priceList.fill().catch(() => undefined);
    orders.startWork(life, { store, bus: life.bus });
    const handlers = orders.createHandlers({
      store,
      env,
      place: { store, priceList, env, log, metrics, reserve: ask.reserve },
      cancel: { store, nowMs: env.nowMs, voidTicket: ask.voidTicket },
      estimates: ask.estimates,
    });
    service.door.handle(orders.routes, handlers);
  }

  /** Without the net, nothing ends because its time is over. */
  #orderTables(): orders.OrderStore {
    if (this.settings.deadlineSweeper === 1) return this.orderStore;
    const store = this.orderStore;
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'sweepDeadlines') return async () => 0;
        const value = target[name as keyof orders.OrderStore] as (...given: unknown[]) => unknown;
        return value.bind(target);
      },
    });
  }

  async #bootInventory(): Promise<void> {
    const service = this.services.inventory;
    const life = service.begin();
    const { env, metrics } = life;
    const far = onDisk(life.disk, this.inventoryStore, tables.inventoryOperations);
    const store = this.around.composition.inventoryStore?.(far, env) ?? far;
    inventory.startWork(life, { store, bus: life.bus });
    const desk = inventory.createReserveDesk(store, env, metrics);
    service.door.handle(tables.inventoryRoutes, inventory.publicHandlers(store, env, metrics));
    service.door.handle(inventoryApi, inventory.internalHandlers(store, desk));
  }

  async #bootPayments(): Promise<void> {
    const service = this.services.payments;
    const life = await this.#onDatabaseTime(service.begin());
    const { env, log, metrics } = life;
    const far = onDisk(life.disk, this.paymentStore, tables.paymentOperations);
    const store = this.around.composition.paymentStore?.(far, env) ?? far;
    const provider = flakyProvider(this.provider, service.process, env, this.around);
    const driver = new payments.Driver({ store, provider, env, log, metrics });
    payments.startWork(life, { driver, bus: life.bus });
    const reconciled = () => payments.reconcile({ store, provider, env });
    const handlers = payments.paymentHandlers({ store, provider, driver, reconciled });
    service.door.handle(payments.paymentRoutes, handlers);
  }

  async #bootKitchen(): Promise<void> {
    const service = this.services.kitchen;
    const life = await this.#onDatabaseTime(service.begin());
    const { stations, cookMsMax, shelfMs } = this.settings;
    const store = onDisk(life.disk, this.kitchenStore, tables.kitchenOperations);
    const plan = { stations, auto: true, cookMsMin: 0, cookMsMax, shelfMs };
    const { wake } = kitchen.startWork(life, { store, bus: life.bus, plan });
    const meanCookMs = cookMsMax / 2;
    const routes = { store, env: life.env, stations, auto: true, meanCookMs, wake };
    service.door.handle(kitchen.kitchenRoutes, kitchen.kitchenHandlers(routes));
  }

  async #bootNotifications(): Promise<void> {
    const service = this.services.notifications;
    const life = service.begin();
    const { env, log } = life;
    const store = onDisk(life.disk, this.streamStore, tables.streamOperations);
    const limits = { streamsMax: 100, streamsPerOwnerMax: 10, waitingBytesMax: 1_000_000 };
    const streams = new notifications.Streams({ store, env, log, limits, onSent: () => undefined });
    for (;;) {
      const stands = await streams.start().then(
        () => true,
        () => false,
      );
      if (stands) break;
      await env.sleep(100);
    }
    const messenger = { send: async () => env.sleep(1) };
    notifications.startWork(life, { store, streams, messenger, bus: life.bus });
    this.streams = streams;
  }

  async #bootGateway(): Promise<void> {
    const service = this.services.gateway;
    const { env, log, metrics, bus } = service.begin();
    const bare = service.client(this.services.orders, env);
    const ordersClient = this.around.composition.ordersClient?.(bare) ?? bare;
    const stock = service.client(this.services.inventory, env);
    const view = new StockView({
      env,
      read: async () => {
        const beganMs = env.monotonicMs();
        const { body } = await stock.call(inventoryApi.stock, {}, { deadlineMs: 1_000 });
        return { value: body.items, beganMs };
      },
    });
    bus.listen(
      ['stock.changed', 'item.changed'],
      (message) => {
        if (message.topic === 'stock.changed') view.hearStock(message.events);
        else if (message.topic === 'item.changed') view.hearItems(message.events);
      },
      () => void view.refresh().catch(() => undefined),
    );
    this.placeOrder = createPlaceOrder({
      ...{ env, log, metrics, view, orders: ordersClient },
      cache: createMemoryCache({ env, keysMax: 100 }),
      rate: { ratePerS: 5, burst: 20 },
      onKeyReused: () => undefined,
    });
  }

  /** With the clock of the database for its own; comes up when that answers. */
  async #onDatabaseTime(life: Life): Promise<Life> {
    const rows = [{ nowMs: 0 }];
    const query = async <Row extends object>(): Promise<Row[]> => {
      // Never slow: it would be off by half of that, and the auditor compares instants.
      await life.env.sleep(life.env.random() * this.settings.storeMs);
      rows[0] = { nowMs: startMs + this.world.elapsedMs };
      return rows as Row[];
    };
    for (;;) {
      const env = await onDatabaseTime(life, { query }).catch(() => undefined);
      if (env) return { ...life, env };
      await life.env.sleep(100);
    }
  }

  #service(name: SimServiceName): SimService {
    const ledger = name === 'gateway' ? undefined : this.#ledger(name);
    return new SimService(this.processes[name], this.around, ledger);
  }

  #ledger(name: SimServiceName): MemoryLedger {
    const known = this.ledgers[name];
    if (known) return known;
    const process = this.processes[name];
    const bare = createMemoryLedger({ env: clockOf(process) });
    const bus = this.around.broker.connect();
    const living = { env: () => process.environment(), publish: bus.publish };
    const ledger = this.around.composition.ledger?.(name, bare, living) ?? bare;
    this.ledgers[name] = ledger;
    return ledger;
  }

  /** Where a store in memory would commit its outbox rows. */
  #emitOf(name: SimServiceName) {
    const ledger = this.#ledger(name);
    return <T extends Topic>(topic: T, events: readonly EventOf<T>[]): void => {
      if (topic === 'stock.changed') this.#noteStock(events as readonly EventOf<'stock.changed'>[]);
      void ledger.transaction('emit', (tx) => tx.emit(topic, events));
    };
  }

  #noting(provider: payments.CardProvider): payments.CardProvider {
    const charge: typeof provider.charge = async (charges) => {
      const answers = await provider.charge(charges);
      for (const { paymentId, outcome } of answers) {
        if (outcome === 'declined') this.declines.push(payments.orderIdOf(paymentId));
      }
      return answers;
    };
    return Object.assign(Object.create(provider), { charge });
  }

  #noteStock(events: readonly EventOf<'stock.changed'>[]): void {
    for (const { itemId, available } of events) {
      const by = available - (this.#available.get(itemId) ?? 0);
      this.#available.set(itemId, available);
      this.stockMoves.push({ atMs: this.world.wallMs, itemId, by });
      this.world.story.say('inventory', () => `has ${available} of ${itemId} left to sell`);
    }
  }
}

/** The clock of a process whatever its life: what the tables are stamped with. */
function clockOf(process: SimProcess) {
  return process.environment();
}
