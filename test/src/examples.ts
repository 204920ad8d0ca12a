// A right call of every public route. A route that is missing here does not compile, so the tests
// that are generated from this table cover all routes.

import { randomUUID } from 'node:crypto';
import {
  type Call,
  type monitorApiAtGateway,
  type PublicRouteName,
  publicApi,
  type Role,
  type Route,
} from '@rushlight/contracts';
import type { Shop, Student } from './platform.ts';

/** What the examples talk about. */
export type World = {
  shop: Shop;
  tokens: Record<Role, string>;
  student: Student;
  other: Student;
  /** An order of `student`. */
  orderId: string;
  itemId: string;
};

let made = 0;
export const newName = (what: string): string => `${what}-${process.pid}-${++made}`;
export const newKey = (): string => randomUUID();

/**
 * A right call of every public route, as far as the world allows: where it could only spoil the
 * world (kill a part, end a token), it is one that the owner refuses after all checks of the gate.
 */
export const examples: {
  [N in PublicRouteName]: (world: World) => Call<(typeof publicApi)[N]>;
} = {
  register: () => ({
    body: { studentId: newName('new'), password: 'Tandoor-7-oven', name: 'A Student' },
  }),
  login: () => ({ body: { studentId: newName('nobody'), password: 'Tandoor-7-oven' } }),
  logout: () => ({}),
  changePassword: () => ({ body: { password: 'not-my-password', newPassword: 'Tandoor-8-oven' } }),
  wallet: () => ({}),
  topUp: ({ student }) => ({
    headers: { 'idempotency-key': newKey() },
    body: { studentId: student.studentId, amountCents: 1 },
  }),
  menu: () => ({ query: { q: 'rice', category: 'mains' } }),
  placeOrder: ({ itemId }) => ({
    headers: { 'idempotency-key': newKey() },
    body: { lines: [{ itemId, quantity: 1 }] },
  }),
  listOrders: () => ({ query: { limit: '5', cursor: randomUUID() } }),
  getOrder: ({ orderId }) => ({ params: { orderId } }),
  cancelOrder: ({ orderId }) => ({ params: { orderId } }),
  myEvents: () => ({}),
  orderEvents: ({ orderId }) => ({ params: { orderId } }),
  allEvents: () => ({}),
  tickets: () => ({}),
  ticketReady: ({ orderId }) => ({ params: { orderId } }),
  ticketCollected: ({ orderId }) => ({ params: { orderId } }),
  ticketRefused: () => ({ params: { orderId: randomUUID() }, body: { reason: 'no more rice' } }),
  listItems: () => ({}),
  getItem: ({ itemId }) => ({ params: { itemId } }),
  addItem: () => ({
    body: {
      itemId: newName('item'),
      name: 'Soup of the day',
      category: 'sides',
      priceCents: 300,
      stock: 10,
    },
  }),
  editItem: ({ itemId }) => ({
    params: { itemId },
    body: { version: 999_999, name: 'Renamed', priceCents: 100, addStock: 1 },
  }),
  removeItem: () => ({ params: { itemId: newName('gone') } }),
  listUsers: () => ({ query: { limit: '5', cursor: 'm' } }),
  addUser: () => ({
    body: {
      studentId: newName('made'),
      role: 'kitchen',
      password: 'Tandoor-9-oven',
      name: 'A Cook',
    },
  }),
  audit: () => ({}),
  latency: () => ({}),
  throughput: () => ({}),
  listServices: () => ({}),
  listDeadLetters: () => ({}),
  replayDeadLetter: () => ({ params: { id: randomUUID() } }),
  dropDeadLetter: () => ({ params: { id: randomUUID() } }),
  listFaults: () => ({}),
  startFault: () => ({
    body: { fault: 'no-such-fault', target: 'kitchen', parameters: {}, durationS: 1 },
  }),
  endFault: () => ({ params: { id: randomUUID() } }),
  clearFaults: () => ({}),
  crowd: () => ({ body: { students: 1 } }),
};

type MonitorRouteName = keyof typeof monitorApiAtGateway;

/** The same for the monitor's routes, as the gateway serves them. */
export const monitorExamples: {
  [N in MonitorRouteName]: (world: World) => Call<(typeof monitorApiAtGateway)[N]>;
} = {
  monitorHealth: () => ({}),
  monitorSummary: () => ({}),
  queryMetrics: () => ({ query: { query: 'sum(rate(http_requests_total[1m]))', stepS: '10' } }),
  routePerformance: () => ({ query: { service: 'orders' } }),
  shopAnalytics: () => ({ query: { stepS: '60' } }),
  analyzeErrors: () => ({ query: { level: 'warn', limit: '5' } }),
  searchLogs: ({ orderId }) => ({ query: { text: orderId, limit: '5' } }),
  tailLogs: () => ({ query: { service: 'orders' } }),
  searchTraces: () => ({ query: { service: 'orders', limit: '5' } }),
  getTrace: () => ({ params: { traceId: 'f'.repeat(32) } }),
  listWatchedServices: () => ({ query: {} }),
  watchService: () => ({
    body: { name: newName('mine'), metricsUrl: 'http://169.254.169.254/metrics' },
  }),
  unwatchService: () => ({ params: { name: newName('none') } }),
  listAlerts: () => ({}),
  addSilence: () => ({
    body: {
      matchers: [{ label: 'alertname', operator: '=', value: newName('none') }],
      until: new Date(Date.now() + 60_000).toISOString(),
      comment: 'nothing is quieter for it',
    },
  }),
  endSilence: () => ({ params: { id: randomUUID() } }),
  listSlos: () => ({}),
  listAnomalies: () => ({ query: {} }),
  runSql: () => ({ body: { sql: 'SELECT 1 AS one' } }),
};

export const routeNames = Object.keys(publicApi) as PublicRouteName[];
export const routeOf = (name: PublicRouteName): Route => publicApi[name];

/** Makes the world of the examples. The order waits in the kitchen when nobody cooks there. */
export async function makeWorld(shop: Shop): Promise<World> {
  const [student, other] = (await shop.students(2)) as [Student, Student];
  const itemId = await shop.item(1_000);
  const placed = await shop.api.call(
    publicApi.placeOrder,
    {
      headers: { 'idempotency-key': newKey() },
      body: { lines: [{ itemId, quantity: 1 }] },
    },
    student.token,
  );
  const { orderId } = placed.body;
  await shop.settled([orderId]);
  const [admin, kitchen] = [await shop.admin(), await shop.kitchen()];
  return {
    shop,
    tokens: { admin, kitchen, student: student.token },
    student,
    other,
    orderId,
    itemId,
  };
}

/** The token of a principal who may call this route. */
export function tokenFor(world: World, route: Route): string | undefined {
  if (!Array.isArray(route.who)) return undefined;
  return world.tokens[(route.who as Role[])[0] as Role];
}
