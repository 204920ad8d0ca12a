// The monitor as a part of the platform: what it knows of an order and of every process, asked
// through the gateway; and the shop without it, killed and frozen.

import { type Call, monitorApiAtGateway, processNames, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { codeOf } from '../src/http.ts';
import { placed } from '../src/ordering.ts';
import { endStatuses, type Shop, type Student, startShop } from '../src/platform.ts';
import { processesBelow } from '../src/processes.ts';
import { report } from '../src/report.ts';

/** So long may it take until what happened can be asked for: scraped, written, read. */
const patience = { deadlineMs: 60_000, everyMs: 250 };
/** Samples come every second; where there are none for so long, there is a gap. */
const gapMsMin = 3_000;
const downS = 7;
const bakeryTrace = `${'a'.repeat(31)}1`;

let shop: Shop;
let student: Student;
let itemId: string;

beforeAll(async () => {
  shop = await startShop({
    settings: {
      RUSHLIGHT_MONITOR_SCRAPE_S: '1',
      // Nobody is too quick.
      RUSHLIGHT_GATEWAY_ORDERS_PER_S: '1000',
      RUSHLIGHT_GATEWAY_ORDERS_BURST: '1000',
    },
  });
  student = await shop.student();
  itemId = await shop.item(1_000);
  await shop.platform.whenUp('monitor');
});
afterAll(() => shop?.stop());

type Api = typeof monitorApiAtGateway;

async function ask<N extends keyof Api>(name: N, parts: Call<Api[N]>) {
  return (await shop.api.call(monitorApiAtGateway[name], parts, await shop.admin())).body;
}

/** Orders one portion, and waits until it is paid or later. */
async function sell(): Promise<string> {
  const orderId = await placed(shop, student, [{ itemId, quantity: 1 }]);
  const { status } = await shop.reached(orderId, endStatuses);
  expect(['rejected', 'cancelled']).not.toContain(status);
  return orderId;
}

const monitorPart = () => {
  const part = shop.platform.parts().find(({ name }) => name === 'monitor');
  if (part === undefined) throw new Error('there is no monitor');
  return part;
};

test('it is a process of the launcher, and takes OTLP where the launcher says', async () => {
  const health = await eventually(
    'every process is read',
    async () => {
      const body = await ask('monitorHealth', {});
      return body.targets.every(({ up }) => up) && body;
    },
    patience,
  );
  expect(health).toMatchObject({ status: 'up', problems: [], store: { status: 'open' } });
  expect(health.targets.map(({ name }) => name).sort()).toEqual(processNames.toSorted());
  expect(`http://127.0.0.1:${health.otlpPort}`).toBe(shop.platform.otlp?.url);
  const commands = processesBelow(shop.data);
  if (commands.length > 0) {
    expect(commands.filter((line) => line.includes('monitor/src/main.ts'))).toHaveLength(1);
  }
});

test('what a program of its own sends to the port of OTLP is a service', async () => {
  const spans = [
    {
      traceId: bakeryTrace,
      spanId: 'b'.repeat(16),
      name: 'bake',
      kind: 2,
      startTimeUnixNano: `${Date.now() - 5}000000`,
      endTimeUnixNano: `${Date.now()}000000`,
    },
  ];
  const attributes = [{ key: 'service.name', value: { stringValue: 'bakery' } }];
  const answer = await fetch(`${shop.platform.otlp?.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }],
    }),
  });
  expect(answer.status).toBe(200);
  const trace = await eventually(
    'the span can be read',
    () => ask('getTrace', { params: { traceId: bakeryTrace } }),
    patience,
  );
  expect(trace.services).toEqual(['bakery']);
});

test('an order shows in the metrics of every process, in figures and in objectives', async () => {
  const names = await eventually(
    'every process has samples',
    async () => {
      const query = 'sum by (service) (http_requests_total)';
      const { series } = await ask('queryMetrics', { query: { query, stepS: '1' } });
      const found = series.map(({ labels }) => labels['service']).sort();
      return found.length === processNames.length && found;
    },
    patience,
  );
  expect(names).toEqual(processNames.toSorted());
  /** What is counted is what grows while it is looked at, so there is always another order. */
  const afterAnOrder = (what: string, holds: () => Promise<boolean>): Promise<true> =>
    eventually(
      what,
      async () => {
        await sell();
        return (await holds()) || undefined;
      },
      patience,
    );
  await afterAnOrder('the order is counted', async () => {
    const { orders } = await ask('shopAnalytics', { query: {} });
    return orders.accepted > 0 && orders.paid > 0;
  });
  await afterAnOrder('the route of orders is measured', async () => {
    const { method, path } = publicApi.placeOrder;
    const { routes } = await ask('routePerformance', { query: { service: 'gateway' } });
    return routes.some((one) => one.method === method && one.route === path);
  });
  await afterAnOrder('every process is up', async () => {
    const { services } = await ask('listWatchedServices', { query: {} });
    const up = new Set(services.filter((one) => one.up === true).map(({ name }) => name));
    const summary = await ask('monitorSummary', {});
    return processNames.every((name) => up.has(name)) && summary.services.up >= up.size;
  });
  const { slos } = await ask('listSlos', {});
  expect(slos.length).toBeGreaterThan(0);
});

test('every alert can be judged, and none fires for a shop that works', async () => {
  const { rules, alerts } = await eventually(
    'all rules were evaluated',
    async () => {
      const body = await ask('listAlerts', {});
      return body.rules.every(({ health }) => health !== 'unknown') && body;
    },
    patience,
  );
  expect(rules.length).toBeGreaterThan(10);
  expect(rules.filter(({ health }) => health === 'failing')).toEqual([]);
  const ofShop = alerts.filter(({ state, name }) => state === 'firing' && name === 'ServiceDown');
  expect(ofShop).toEqual([]);
});

test('the log of each process can be searched', async () => {
  for (const service of [...processNames, 'postgres']) {
    const text = service === 'postgres' ? 'ready to accept connections' : 'ready';
    const { lines } = await eventually(
      `the log of ${service} is read`,
      async () => {
        const found = await ask('searchLogs', { query: { service, text, limit: '5' } });
        return found.lines.length > 0 && found;
      },
      patience,
    );
    expect(lines[0]).toMatchObject({ service });
  }
});

test('the health grid has the monitor, and its documents the monitor’s routes', async () => {
  const states = await shop.api.call(publicApi.listServices, {}, await shop.admin());
  const grid = states.body.find(({ name }) => name === 'monitor');
  expect(grid).toMatchObject({ state: 'up', pid: monitorPart().pid });
  const { text } = await shop.api.send('GET', '/api/openapi.json');
  expect(text).toContain('/api/monitor/traces/{traceId}');
});

/** The longest time without samples that ends after this moment; 0 while there is none. */
async function gapSince(fromMs: number): Promise<number> {
  const query = 'count_over_time(up{service="orders"}[2s])';
  const from = new Date(fromMs - 10_000).toISOString();
  const { series } = await ask('queryMetrics', { query: { query, stepS: '1', from } });
  const times = (series[0]?.points ?? []).map(([atMs]) => atMs);
  const gaps = times.map((atMs, nth) => {
    const before = times[nth - 1];
    return before === undefined || atMs < fromMs ? 0 : atMs - before;
  });
  return Math.max(0, ...gaps);
}

test.each(['kill', 'stop'] as const)(
  'while the monitor is away (%s) orders settle; it comes back, and the gap is a gap',
  async (fault) => {
    const { pid } = monitorPart();
    const fromMs = Date.now();
    const body = { fault, target: 'monitor', durationS: downS };
    await shop.api.call(publicApi.startFault, { body }, await shop.admin());
    let sold = 0;
    await eventually(
      'the fault is over',
      async () => {
        await sell();
        sold += 1;
        const faults = await shop.api.call(publicApi.listFaults, {}, await shop.admin());
        return faults.body.active.length === 0;
      },
      { deadlineMs: 90_000 },
    );
    expect(sold).toBeGreaterThan(0);
    await eventually('it answers again', () => ask('monitorHealth', {}), patience);
    expect(monitorPart().pid === pid, 'nobody restarts what only stands still').toBe(
      fault === 'stop',
    );
    const gapMs = await eventually(
      'a gap in the samples',
      async () => {
        const foundMs = await gapSince(fromMs);
        return foundMs >= gapMsMin && foundMs;
      },
      patience,
    );
    report(`monitor, ${fault}: ${sold} orders sold meanwhile, a gap of ${gapMs / 1_000} s`);
    await sell();
  },
);

test('who asks while the monitor is dead is told so, and when to come again', async () => {
  const body = { fault: 'kill', target: 'monitor', durationS: 60 };
  const admin = await shop.admin();
  const { body: fault } = await shop.api.call(publicApi.startFault, { body }, admin);
  const answer = await eventually('it is dead', async () => {
    const one = await shop.api.try(monitorApiAtGateway.listAlerts, {}, admin);
    return one.status !== 200 && one;
  });
  expect(`${answer.status} ${codeOf(answer)}`).toBe('503 unavailable');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  await sell();
  await shop.api.call(publicApi.endFault, { params: { id: fault.id } }, admin);
  await shop.platform.whenUp('monitor');
  await eventually('it answers again', () => ask('listAlerts', {}), patience);
  await shop.audit();
});
