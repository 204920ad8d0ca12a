// The shop as a model: the same hops, batchers and limits, with costs instead of work.
//
//   clients → gateways → (batch) → orders → [accept] → inventory → [reserve] → orders → [decide] → back
//   behind it: payments → orders, inventory, kitchen, notifications, at most every 50 ms each
//
// M1. A service process is one thread; a transaction is a thread of Postgres; all want the same cores,
//     unless Postgres or the clients have machines of their own.
// M2. An order's cost at a service is shared evenly by the steps that the service takes for it.
// M3. What two transactions cannot do at once is a lock, held from the first statement to the commit:
//     the items of an inventory process, and the head of the event stream of notifications.
// M4. All commits of a Postgres share one log, which is flushed for many at once.

import { seededRandom } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { Clock } from './clock.ts';
import { type Cost, type ShopCosts, type StoreName, storeNames } from './costs.ts';
import { Machine, Thread } from './machine.ts';
import { Batcher, Lock, Log } from './waiting.ts';

export type Cores = { services: number; postgres: number; clients: number };

export type ModelOptions = {
  costs: ShopCosts;
  replicas: Readonly<Record<string, number>>;
  /** One machine of so many cores for all, or how many each has for itself. */
  cores: number | Cores;
  /** Orders on their way at once. */
  clients: number;
  /** Processes that they are in. */
  clientProcesses?: number;
  /** Orders are for one of these dishes each. */
  items: number;
  /** From one machine to another, one way. */
  hopUs?: number;
  seed: number;
  /** 0: every cost is what it is; 0.5: half of it more or less. */
  spread?: number;
};

type Answered = () => void;
type GatewayBatch = { from: Gateway; answers: Answered[]; done: () => void };
type Gateway = { thread: Thread; placing: Batcher<Answered> };
type Orders = { thread: Thread; desk: Batcher<GatewayBatch>; underWay: number };
type Reserve = { count: number; done: () => void };
type Inventory = { thread: Thread; desk: Batcher<Reserve>; items: Lock };

/** As in the services; `limits` are theirs. */
const gatewayBatcher = {
  sizeMax: limits.orderBatchMax,
  waitUs: limits.orderBatchWaitMsMax * 1_000,
  concurrencyMax: 2,
};
const placeDesk = { sizeMax: 8, waitUs: 0, concurrencyMax: 2 };
const reserveDesk = { sizeMax: 8, waitUs: 0, concurrencyMax: 1 };
const pauseUs = 50_000;
const eventsMax = 2_000;
/** Steps of a service for one order, its followers included. */
const steps: Readonly<Record<StoreName, number>> = {
  ...{ orders: 3, inventory: 2, payments: 3, kitchen: 1, notifications: 2 },
};
/** Consumers of the bus that hear of one order. */
const deliveries = 5;

export class ModelShop {
  readonly clock = new Clock();
  readonly threads: Thread[] = [];
  readonly locks = new Map<string, Lock>();
  readonly placed = { batches: 0, orders: 0 };
  readonly #options: ModelOptions;
  readonly #random: () => number;
  readonly #forServices: Machine;
  readonly #forPostgres: Machine;
  readonly #forClients: Machine;
  readonly #log: Log;
  readonly #gateways: Gateway[];
  readonly #orders: Orders[];
  readonly #inventories: Inventory[];
  readonly #followers = new Map<string, Follower>();
  #postgresUs = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    const { cores, costs } = options;
    this.#random = seededRandom(options.seed);
    const machine = (count: number): Machine => new Machine(this.clock, count);
    const shared = typeof cores === 'number' ? machine(cores) : undefined;
    const own: Cores = typeof cores === 'number' ? { services: 0, postgres: 0, clients: 0 } : cores;
    this.#forServices = shared ?? machine(own.services);
    this.#forPostgres = shared ?? machine(own.postgres);
    this.#forClients = shared ?? machine(own.clients);
    this.#log = new Log(this.clock, costs.commitUs);
    this.#gateways = this.#make('gateway', (thread) => this.#gateway(thread));
    this.#inventories = this.#make('inventory', (thread, nth) => this.#inventory(thread, nth));
    this.#orders = this.#make('orders', (thread) => this.#ordersProcess(thread));
    const threadsOf = (name: string): Thread[] => this.#make(name, (thread) => thread);
    this.#follow(
      'orders',
      this.#orders.map(({ thread }) => thread),
      1,
      [],
    );
    this.#follow(
      'inventory',
      this.#inventories.map(({ thread }) => thread),
      1,
      [...this.#inventories.map(({ items }) => items)],
    );
    this.#follow('payments', threadsOf('payments'), 3, []);
    this.#follow('kitchen', threadsOf('kitchen'), 1, []);
    const head = new Lock(this.clock);
    this.locks.set('stream head of notifications', head);
    this.#follow('notifications', threadsOf('notifications'), 2, [head]);
  }

  /** Microseconds that Postgres used. */
  get postgresUs(): number {
    return this.#postgresUs;
  }

  /** So many clients order, each again as soon as it is answered. */
  open(onAnswer: () => void): void {
    const { clients, clientProcesses = 1, costs } = this.#options;
    const processes = Array.from({ length: clientProcesses }, () =>
      this.#thread(this.#forClients, 'load generator'),
    );
    for (let nth = 0; nth < clients; nth++) {
      const gateway = this.#gateways[nth % this.#gateways.length] as Gateway;
      const process = processes[nth % processes.length] as Thread;
      const send = (): void =>
        this.#work(process, costs.client.orderUs / 2, () =>
          this.#hop(() => this.#place(gateway, () => this.#hop(answered))),
        );
      const answered = (): void =>
        this.#work(process, costs.client.orderUs / 2, () => {
          onAnswer();
          send();
        });
      this.clock.after(this.#random() * gatewayBatcher.waitUs, send);
    }
  }

  #place({ thread, placing }: Gateway, answer: Answered): void {
    const halfUs = this.#options.costs.gateway.orderUs / 2;
    this.#work(thread, halfUs, () => placing.add(() => this.#work(thread, halfUs, answer)));
  }

  #gateway(thread: Thread): Gateway {
    const { costs } = this.#options;
    const gateway: Gateway = {
      thread,
      placing: new Batcher<Answered>(this.clock, gatewayBatcher, (answers, done) => {
        this.#work(thread, costs.gateway.batchUs, () => {
          const to = this.#leastBusy();
          to.underWay++;
          const answered = (): void => {
            to.underWay--;
            done();
          };
          this.#hop(() => to.desk.add({ from: gateway, answers, done: answered }));
        });
      }),
    };
    return gateway;
  }

  #leastBusy(): Orders {
    const least = Math.min(...this.#orders.map(({ underWay }) => underWay));
    const free = this.#orders.filter(({ underWay }) => underWay === least);
    return free[Math.floor(this.#random() * free.length)] as Orders;
  }

  #ordersProcess(thread: Thread): Orders {
    const desk = new Batcher<GatewayBatch>(this.clock, placeDesk, (batches, done) => {
      const groups = groupsOf(batches);
      let left = groups.length;
      for (const group of groups) {
        this.#decide(thread, group, () => {
          left--;
          if (left === 0) done();
        });
      }
    });
    return { thread, desk, underWay: 0 };
  }

  /** One group of gateways' batches: accepted, reserved, decided, answered. */
  #decide(thread: Thread, group: readonly GatewayBatch[], done: () => void): void {
    const count = group.reduce((sum, { answers }) => sum + answers.length, 0);
    this.placed.batches++;
    this.placed.orders += count;
    const decided = (): void => {
      this.#message(1, () => undefined);
      this.#message(count, () => this.#feed('payments', count));
      for (const { answers, done: answered } of group) {
        this.#hop(() => {
          for (const answer of answers) answer();
          answered();
        });
      }
      done();
    };
    this.#operation('orders', thread, count, [], () =>
      this.#reserve(count, () => this.#operation('orders', thread, count, [], decided)),
    );
  }

  #reserve(count: number, done: () => void): void {
    const lots = this.#lotsOf(count);
    let left = lots.length;
    for (const { inventory, count: ofIt } of lots) {
      const answered = (): void => {
        left--;
        if (left === 0) done();
      };
      this.#hop(() => inventory.desk.add({ count: ofIt, done: () => this.#hop(answered) }));
    }
  }

  /** Orders by the process of inventory that decides them: always the same one for an item. */
  #lotsOf(count: number): { inventory: Inventory; count: number }[] {
    const all = this.#inventories.slice(0, this.#options.items);
    if (all.length === 1) return [{ inventory: all[0] as Inventory, count }];
    const counts = all.map(() => 0);
    for (let nth = 0; nth < count; nth++) {
      const item = Math.floor(this.#random() * this.#options.items);
      counts[item % all.length] = (counts[item % all.length] ?? 0) + 1;
    }
    return all
      .map((inventory, nth) => ({ inventory, count: counts[nth] ?? 0 }))
      .filter((lot) => lot.count > 0);
  }

  #inventory(thread: Thread, nth: number): Inventory {
    const items = new Lock(this.clock);
    this.locks.set(`items of inventory-${nth + 1}`, items);
    const desk = new Batcher<Reserve>(this.clock, reserveDesk, (asked, done) => {
      const count = asked.reduce((sum, one) => sum + one.count, 0);
      this.#operation('inventory', thread, count, [items], () => {
        for (const one of asked) one.done();
        done();
      });
    });
    return { thread, desk, items };
  }

  #follow(name: StoreName, threads: readonly Thread[], operations: number, locks: Lock[]): void {
    const take = (thread: Thread, count: number, done: () => void): void => {
      let left = operations;
      const next = (): void => {
        left--;
        if (left >= 0) this.#operation(name, thread, count, locks, next);
        else {
          this.#tell(name, count);
          done();
        }
      };
      next();
    };
    this.#followers.set(name, new Follower(this.clock, threads, take));
  }

  #tell(name: StoreName, count: number): void {
    if (name === 'payments') {
      this.#inPostgres(count * this.#options.costs.others.orderUs, () => undefined);
      for (const other of storeNames) {
        if (other !== 'payments') this.#message(count, () => this.#feed(other, count));
      }
    } else if (name === 'orders') this.#message(1, () => undefined);
    else if (name === 'kitchen') for (let n = 0; n < 3; n++) this.#message(1, () => undefined);
  }

  #feed(name: StoreName, count: number): void {
    this.#followers.get(name)?.add(count);
  }

  /** A step of a service: its process, then a transaction, then the log. */
  #operation(
    name: StoreName,
    thread: Thread,
    count: number,
    locks: readonly Lock[],
    done: () => void,
  ): void {
    const { services, databases } = this.#options.costs;
    const us = (cost: Cost): number => cost.batchUs + (count * cost.orderUs) / steps[name];
    this.#work(thread, us(services[name]), () =>
      this.#hop(() =>
        takeAll(locks, () => {
          this.#inPostgres(us(databases[name]), () =>
            this.#log.commit(() => {
              for (const lock of locks) lock.give();
              this.#hop(done);
            }),
          );
        }),
      ),
    );
  }

  #message(count: number, done: () => void): void {
    const { bus } = this.#options.costs;
    this.#inPostgres(bus.batchUs + (count * bus.orderUs) / deliveries, () =>
      this.#log.commit(done),
    );
  }

  #inPostgres(us: number, done: () => void): void {
    const usUsed = this.#jittered(us);
    this.#postgresUs += usUsed;
    new Thread(this.#forPostgres, 'postgres').run(usUsed, done);
  }

  #work(thread: Thread, us: number, done: () => void): void {
    thread.run(this.#jittered(us), done);
  }

  #jittered(us: number): number {
    const { spread = 0.5 } = this.#options;
    return us * (1 + spread * (2 * this.#random() - 1));
  }

  #hop(done: () => void): void {
    const { hopUs = 0 } = this.#options;
    if (hopUs === 0) done();
    else this.clock.after(hopUs, done);
  }

  #thread(machine: Machine, name: string): Thread {
    const thread = new Thread(machine, name);
    this.threads.push(thread);
    return thread;
  }

  #make<T>(name: string, make: (thread: Thread, nth: number) => T): T[] {
    return Array.from({ length: this.#options.replicas[name] ?? 1 }, (_, nth) =>
      make(this.#thread(this.#forServices, `${name}-${nth + 1}`), nth),
    );
  }
}

/** What happens behind the answer: each process takes all there is, and then pauses. */
class Follower {
  readonly #clock: Clock;
  readonly #free: Thread[];
  readonly #take: (thread: Thread, count: number, done: () => void) => void;
  #waiting = 0;

  constructor(
    clock: Clock,
    threads: readonly Thread[],
    take: (thread: Thread, count: number, done: () => void) => void,
  ) {
    this.#clock = clock;
    this.#free = [...threads];
    this.#take = take;
  }

  add(count: number): void {
    this.#waiting += count;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting > 0) {
      const thread = this.#free.shift();
      if (thread === undefined) return;
      const count = Math.min(this.#waiting, eventsMax);
      this.#waiting -= count;
      const startedUs = this.#clock.nowUs;
      this.#take(thread, count, () => {
        const pauseLeftUs = Math.max(0, startedUs + pauseUs - this.#clock.nowUs);
        this.#clock.after(pauseLeftUs, () => {
          this.#free.push(thread);
          this.#pump();
        });
      });
    }
  }
}

/** Neighbours together, as long as they are no more orders than one call takes. */
function groupsOf(batches: readonly GatewayBatch[]): GatewayBatch[][] {
  const groups: GatewayBatch[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const batch of batches) {
    size += batch.answers.length;
    if (size > limits.orderBatchMax) {
      groups.push([]);
      size = batch.answers.length;
    }
    groups.at(-1)?.push(batch);
  }
  return groups;
}

function takeAll(locks: readonly Lock[], taken: () => void): void {
  const [first, ...others] = locks;
  if (first === undefined) taken();
  else first.take(() => takeAll(others, taken));
}
