// One platform for a test file: started once on a folder of its own, used through its front door,
// and at the end nothing of it may be left.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AuditReport,
  type OrderStatus,
  type OrderView,
  publicApi,
} from '@rushlight/contracts';
import { type Platform, type PlatformOptions, startPlatform } from '@rushlight/launcher';
import { eventually } from './eventually.ts';
import { type Api, createApi, jsonOf, RefusedError } from './http.ts';
import { isRunning, processesBelow } from './processes.ts';
import { report } from './report.ts';

export type Student = { studentId: string; token: string };

/** What anybody can do who knows the URL of a shop with the lab on. */
export type Visitor = {
  readonly api: Api;
  /** The token of a demo login; asked for once, because logins are limited. */
  login(studentId: string, password?: string): Promise<string>;
  admin(): Promise<string>;
  kitchen(): Promise<string>;
  /** Students with full wallets, no two calls the same ones. */
  students(count: number): Promise<Student[]>;
  student(): Promise<Student>;
  /** An item of its own on the menu, so that tests do not eat from each other's plates. */
  item(stock: number, priceCents?: number): Promise<string>;
  stockOf(itemId: string): Promise<{ available: number; onHand: number; reserved: number }>;
  /** Waits until an order is in one of these states. */
  reached(orderId: string, statuses: readonly OrderStatus[]): Promise<OrderView>;
  /** Waits until every one of these orders is in an end state of the audit. */
  settled(orderIds: readonly string[], deadlineMs?: number): Promise<Map<string, OrderView>>;
  /** Waits until nothing is in flight, and fails with what does not add up. */
  audit(deadlineMs?: number): Promise<AuditReport>;
};

export type Shop = Visitor & {
  readonly platform: Platform;
  readonly data: string;
  /** Stops everything; fails when a process or a lock is left, or a log tells of a mistake of ours. */
  stop(): Promise<void>;
};

/** Ends for the audit: paid or later, rejected, cancelled. */
export const endStatuses: readonly OrderStatus[] = [
  'paid',
  'in_kitchen',
  'ready',
  'collected',
  'rejected',
  'cancelled',
];

export const demoPasswords: Readonly<Record<string, string>> = {
  admin: 'adminpassword',
  kitchen: 'kitchenpassword',
};
const studentPassword = 'password123';
const crowdMax = 700;

export type ShopOptions = Partial<PlatformOptions> & {
  /** Seconds a meal cooks; 0 unless given. */
  cookS?: number;
};

/** Starts a platform on a new data folder, or on the one given. */
export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const { cookS = 0, settings, ...given } = options;
  const parent = given.data === undefined ? mkdtempSync(join(tmpdir(), 'rushlight-system-')) : '';
  const data = given.data ?? join(parent, 'data');
  const startedMs = performance.now();
  const platform = await startPlatform({
    port: 0,
    lab: true,
    ...given,
    data,
    settings: {
      RUSHLIGHT_KITCHEN_COOK_S_MIN: String(cookS),
      RUSHLIGHT_KITCHEN_COOK_S_MAX: String(cookS),
      RUSHLIGHT_MONITOR_OTLP_PORT: '0', // 4318 is for whoever works on this machine.
      ...settings,
    },
  });
  report(`started in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const visitor = visit(platform.url);
  const { api } = visitor;
  const pids = new Set(pidsOf(platform));
  return {
    ...visitor,
    platform,
    data,
    stop: async () => {
      for (const pid of pidsOf(platform)) pids.add(pid);
      await api[Symbol.asyncDispose]();
      await platform.stop();
      const left = [...pids].filter(isRunning).map(String);
      const found = [...left, ...processesBelow(data)];
      const mistakes = mistakesIn(platform.logs);
      const isLocked = existsSync(join(data, 'lock'));
      if (parent !== '') rmSync(parent, { recursive: true, force: true });
      if (found.length > 0) throw new Error(`Processes are left: ${found.join('; ')}`);
      if (isLocked) throw new Error('The lock is left.');
      if (mistakes.length > 0)
        throw new Error(`The logs tell of mistakes:\n${mistakes.join('\n')}`);
    },
  };
}

/** A shop in which nobody is too quick, with many students and more of five dishes than they order. */
export async function startCrowdedShop(options: ShopOptions = {}) {
  const shop = await startShop({
    ...options,
    settings: {
      RUSHLIGHT_GATEWAY_ORDERS_PER_S: '1000',
      RUSHLIGHT_GATEWAY_ORDERS_BURST: '1000',
      ...options.settings,
    },
  });
  const students = await shop.students(300);
  const itemIds = await Promise.all([1, 2, 3, 4, 5].map(() => shop.item(100_000)));
  return { shop, students, itemIds };
}

export function pidsOf(platform: Platform): number[] {
  return platform
    .parts()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== null);
}

/** A visitor of the shop at this URL. Its connections are closed with its `api`. */
export function visit(url: string): Visitor {
  const api = createApi(url);
  const logins = loginsOf(api);
  return { api, ...logins, ...usesOf(api, logins) };
}

function loginsOf(api: Api): Pick<Visitor, 'login' | 'admin' | 'kitchen'> {
  const known = new Map<string, Promise<string>>();
  const login = (studentId: string, password?: string): Promise<string> => {
    const text = password ?? demoPasswords[studentId] ?? studentPassword;
    const name = JSON.stringify([studentId, text]);
    const token =
      known.get(name) ??
      eventually('the login is answered', async () => {
        const body = { studentId, password: text };
        const answer = await api.try(publicApi.login, { body });
        if (answer.status === 503) return undefined; // Just started; it says when to come again.
        if (answer.status !== 200) return new RefusedError(`login of ${studentId}`, answer);
        return jsonOf<{ token: string }>(answer).token;
      }).then((found) => {
        if (typeof found === 'string') return found;
        throw found;
      });
    known.set(name, token);
    return token;
  };
  return { login, admin: () => login('admin'), kitchen: () => login('kitchen') };
}

type Uses = Omit<Visitor, 'api' | 'login' | 'admin' | 'kitchen'>;

function usesOf(api: Api, { admin }: Pick<Visitor, 'admin'>): Uses {
  let crowd: Student[] | undefined;
  let items = 0;
  const students = async (count: number): Promise<Student[]> => {
    crowd ??= [
      ...(await api.call(publicApi.crowd, { body: { students: crowdMax } }, await admin())).body,
    ];
    if (crowd.length < count) throw new Error(`${count} students wanted, ${crowd.length} are left`);
    return crowd.splice(0, count);
  };
  const reached: Uses['reached'] = (orderId, statuses) => {
    let last = 'nothing';
    return eventually(`order ${orderId} is ${statuses.join(' or ')}`, async () => {
      const { body } = await api.call(publicApi.getOrder, { params: { orderId } }, await admin());
      last = JSON.stringify(body);
      return statuses.includes(body.status) ? body : undefined;
    }).catch((error) => {
      throw new Error(`${error.message}; it is ${last}`, { cause: error.cause });
    });
  };
  return {
    students,
    student: async () => (await students(1))[0] as Student,
    item: async (stock, priceCents = 100) => {
      const itemId = `dish-${process.pid}-${++items}`;
      const body = { itemId, name: `Dish ${items}`, category: 'mains', priceCents, stock };
      await api.call(publicApi.addItem, { body }, await admin());
      return itemId;
    },
    stockOf: async (itemId) =>
      (await api.call(publicApi.getItem, { params: { itemId } }, await admin())).body,
    reached,
    settled: async (orderIds, deadlineMs = 90_000) => {
      await untilQuiet(api, admin, deadlineMs);
      const orders = new Map<string, OrderView>();
      for (const orderId of orderIds) orders.set(orderId, await reached(orderId, endStatuses));
      return orders;
    },
    audit: async (deadlineMs = 90_000) => {
      await untilQuiet(api, admin, deadlineMs);
      let last: AuditReport | undefined;
      return eventually(
        'the audit is ok',
        async () => {
          last = await readAudit(api, await admin());
          return last.ok && last;
        },
        { deadlineMs: 15_000, everyMs: 250 },
      ).catch(() => {
        throw new Error(`The audit finds: ${JSON.stringify(last, undefined, 1)}`);
      });
    },
  };
}

async function untilQuiet(api: Api, admin: Visitor['admin'], deadlineMs: number): Promise<void> {
  let last = 'never answered';
  const look = async (): Promise<boolean> => {
    const { orders } = await readAudit(api, await admin());
    last = JSON.stringify(orders);
    return orders.inFlight === 0;
  };
  await eventually('nothing is in flight', look, { deadlineMs, everyMs: 100 }).catch((error) => {
    throw new Error(`${error.message}; the audit said ${last}`, { cause: error.cause });
  });
}

async function readAudit(api: Api, token: string): Promise<AuditReport> {
  const answer = await api.try(publicApi.audit, {}, token);
  if (answer.status !== 200) throw new RefusedError('the audit', answer);
  return publicApi.audit.replies[200].parse(jsonOf(answer));
}

const mistakePattern = /by our mistake|that nobody caught|UnhandledPromise/;

/** Lines of the logs that tell of a mistake of ours, whatever the clients saw. */
function mistakesIn(logs: string): string[] {
  return readdirSync(logs).flatMap((name) =>
    readFileSync(join(logs, name), 'utf8')
      .split('\n')
      .filter((line) => mistakePattern.test(line))
      .slice(0, 5)
      .map((line) => `${name}: ${line.slice(0, 1_500)}`),
  );
}
