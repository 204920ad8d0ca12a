// Who may do what: every route × every kind of caller × own and others' things, made from the
// contracts. Checks come in this order: who asks (401), may they (403), is it well formed (400).

import {
  identityApi,
  inventoryApi,
  kitchenApi,
  monitorApi,
  monitorApiAtGateway,
  ordersApi,
  type ProcessName,
  paymentsApi,
  processNames,
  publicApi,
  type Route,
  roles,
} from '@rushlight/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeWorld,
  monitorExamples,
  newKey,
  examples as ofShop,
  routeNames as ofShopNames,
  type World,
} from '../src/examples.ts';
import { createForger, type Forger, serviceToken } from '../src/forgery.ts';
import { type Api, codeOf, createApi, faultOfProblem, jsonOf, type Parts } from '../src/http.ts';
import { place, placed } from '../src/ordering.ts';
import { type Shop, startShop } from '../src/platform.ts';

let shop: Shop;
let world: World;
let forger: Forger;
let bad: Record<string, string>;

beforeAll(async () => {
  shop = await startShop({ settings: { RUSHLIGHT_KITCHEN_AUTO: 'false' } });
  world = await makeWorld(shop);
  forger = await createForger(shop);
  bad = await forger.bad(world.student.studentId);
  await shop.platform.whenUp('monitor');
});
afterAll(() => shop?.stop());

/** What the gateway serves: the shop's own routes, and the monitor's. */
const served = { ...publicApi, ...monitorApiAtGateway };
type RouteName = keyof typeof served;
const routeNames = Object.keys(served) as RouteName[];
const routeOf = (name: RouteName): Route => served[name];
const examples = { ...ofShop, ...monitorExamples };

const guarded = routeNames.filter((name) => routeOf(name).who !== 'anyone');
const allowed = (route: Route): readonly string[] => route.who as readonly string[];

/** Wrong in every part, so that only an earlier check can answer with something else than 400. */
const nonsense = (route: Route): Parts => ({
  params: Object.fromEntries([...route.path.matchAll(/:(\w+)/g)].map((match) => [match[1], '~'])),
  query: { surprise: '1' },
  ...(route.body === undefined ? {} : { body: '{broken' }),
});

async function expectRefusal(route: Route, parts: Parts, token: string | undefined, code: string) {
  const answer = await shop.api.try(route, parts, token);
  const what = `${route.method} ${route.path}`;
  expect(faultOfProblem(answer, what)).toBeUndefined();
  expect(codeOf(answer), what).toBe(code);
}

test('the forger works: with all claims right its tokens are good', async () => {
  const token = await forger.good(world.student.studentId, 'student');
  expect((await shop.api.try(publicApi.wallet, {}, token)).status).toBe(200);
});

describe('401 comes first', () => {
  test.each(guarded)('%s without a token, or with a bad one', async (name) => {
    const route = routeOf(name);
    await expectRefusal(route, nonsense(route), undefined, 'unauthorized');
    for (const token of Object.values(bad)) {
      await expectRefusal(route, examples[name](world) as Parts, token, 'unauthorized');
    }
  });

  test('every bad token is refused by itself, whatever the header looks like', async () => {
    const good = await forger.good(world.student.studentId, 'student');
    const [path] = [publicApi.wallet.path];
    for (const [what, token] of Object.entries(bad)) {
      const answer = await shop.api.send('GET', path, { token });
      expect(`${what}: ${answer.status} ${codeOf(answer)}`).toBe(`${what}: 401 unauthorized`);
    }
    for (const header of [
      '',
      'Bearer',
      `Basic ${good}`,
      `Bearer ${good} x`,
      good,
      `Bearer  ${good}`,
    ]) {
      const answer = await shop.api.send('GET', path, { headers: { authorization: header } });
      expect(`"${header}": ${answer.status}`).toBe(`"${header}": 401`);
    }
    const inUrl = await shop.api.send('GET', `${path}?token=${good}&access_token=${good}`);
    expect(inUrl.status).toBe(401);
  });

  test('the headers with which the gateway names a user mean nothing from outside', async () => {
    const headers = {
      'rushlight-student': 'admin',
      'rushlight-role': 'admin',
      'rushlight-token': 'x 1 9999999999',
    };
    const listItems = publicApi.listItems.path;
    const anonymous = await shop.api.send('GET', listItems, { headers });
    expect(codeOf(anonymous)).toBe('unauthorized');
    const { token } = world.student;
    const student = await shop.api.send('GET', listItems, { headers, token });
    expect(codeOf(student)).toBe('forbidden');
  });

  test('a service token opens no route for users', async () => {
    const token = await serviceToken(shop, 'gateway');
    if (token === undefined) return; // This system does not show other processes' variables.
    for (const name of guarded) {
      await expectRefusal(routeOf(name), examples[name](world) as Parts, token, 'unauthorized');
    }
  });
});

describe('403 comes before the request is looked at', () => {
  const refused = guarded.flatMap((name) =>
    roles
      .filter((role) => !allowed(routeOf(name)).includes(role))
      .map((role) => [name, role] as const),
  );
  test.each(refused)('%s is not for %s (F16)', async (name, role) => {
    const route = routeOf(name);
    await expectRefusal(route, nonsense(route), world.tokens[role], 'forbidden');
    await expectRefusal(route, examples[name](world) as Parts, world.tokens[role], 'forbidden');
  });

  const granted = guarded.flatMap((name) =>
    roles
      .filter((role) => allowed(routeOf(name)).includes(role))
      .map((role) => [name, role] as const),
  );
  test.each(granted)('%s is for %s', async (name, role) => {
    const route = routeOf(name);
    // A token of its own: what it does with it (log out) must not end anybody else's.
    const studentId = role === 'student' ? world.student.studentId : role;
    const token = await forger.good(studentId, role);
    const answer = await shop.api.try(route, examples[name](world) as Parts, token);
    expect(['unauthorized', 'forbidden']).not.toContain(codeOf(answer));
    expect(answer.status, answer.text).not.toBe(500);
    if (answer.status >= 400) expect(faultOfProblem(answer)).toBeUndefined();
  });

  const open = routeNames.filter((name) => routeOf(name).who === 'anyone');
  test.each(open)('%s is for anyone', async (name) => {
    const answer = await shop.api.try(routeOf(name), examples[name](world) as Parts);
    expect(['unauthorized', 'forbidden']).not.toContain(codeOf(answer));
  });

  test('every route is in exactly one of these lists', () => {
    expect(new Set([...guarded, ...open]).size).toBe(Object.keys(served).length);
    expect(refused.length + granted.length).toBe(guarded.length * roles.length);
  });
});

describe('F17: what belongs to another student is not there', () => {
  const ofOrders = guarded.filter((name) => {
    const route = routeOf(name);
    return route.path.includes(':orderId') && allowed(route).includes('student');
  });
  test('the list of such routes is not empty', () => expect(ofOrders.length).toBeGreaterThan(2));

  test.each(ofOrders)('%s of another student: 404, as for no order at all', async (name) => {
    const route = routeOf(name);
    const parts = examples[name](world) as Parts;
    const theirs = await shop.api.try(route, parts, world.other.token);
    const none = { ...parts, params: { orderId: crypto.randomUUID() } };
    const nobodys = await shop.api.try(route, none, world.other.token);
    for (const answer of [theirs, nobodys]) {
      expect(faultOfProblem(answer)).toBeUndefined();
      expect([answer.status, codeOf(answer)]).toEqual([404, 'order_not_found']);
    }
  });

  test('lists and wallets show only what is one’s own, whatever is asked', async () => {
    const mine = await placed(shop, world.other, [{ itemId: world.itemId, quantity: 1 }]);
    const list = await shop.api.call(publicApi.listOrders, { query: {} }, world.other.token);
    expect(list.body.items.map(({ orderId }) => orderId)).toEqual([mine]);
    const cursor = { query: { cursor: world.orderId } };
    const after = await shop.api.call(publicApi.listOrders, cursor, world.other.token);
    for (const { studentId } of after.body.items) expect(studentId).toBe(world.other.studentId);
  });

  test('another student’s key is another key', async () => {
    const key = newKey();
    const lines = [{ itemId: world.itemId, quantity: 1 }];
    const first = await place(shop, world.student.token, lines, key);
    const second = await place(shop, world.other.token, lines, key);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(jsonOf(first)['orderId']).not.toBe(jsonOf(second)['orderId']);
  });

  test('an admin sees, and may cancel, what is anybody’s; the kitchen only sees', async () => {
    const orderId = await placed(shop, world.student, [{ itemId: world.itemId, quantity: 1 }]);
    const params = { orderId };
    for (const token of [world.tokens.admin, world.tokens.kitchen]) {
      expect((await shop.api.try(publicApi.getOrder, { params }, token)).status).toBe(200);
    }
    const kitchens = await shop.api.try(publicApi.cancelOrder, { params }, world.tokens.kitchen);
    expect(codeOf(kitchens)).toBe('forbidden');
    const admins = await shop.api.try(publicApi.cancelOrder, { params }, world.tokens.admin);
    expect([200, 409]).toContain(admins.status);
  });
});

describe('the inside', () => {
  const internal: readonly Route[] = [
    ...Object.values(ordersApi),
    ...Object.values(inventoryApi),
    ...Object.values(paymentsApi),
    ...Object.values(kitchenApi),
    ...Object.values(identityApi),
  ];
  const onPort = async (name: ProcessName, use: (api: Api) => Promise<void>): Promise<void> => {
    await using api = createApi(shop.platform.serviceUrl(name));
    await use(api);
  };
  const titled = internal.map(
    (route) => [`${route.method} ${route.owner} ${route.path}`, route] as const,
  );

  test.each(titled)('%s is not reachable through the gateway', async (_, route) => {
    for (const token of [undefined, world.tokens.admin, await serviceToken(shop, 'gateway')]) {
      const body = route.body === undefined ? {} : { body: {} };
      const answer = await shop.api.try(route, { ...nonsense(route), ...body }, token);
      expect(codeOf(answer)).toBe('route_not_found');
    }
  });

  const forServices = titled.filter(([, route]) => route.who === 'service');
  test.each(forServices)('%s refuses all but services, on its own port', async (_, route) => {
    await onPort(route.owner, async (api) => {
      const forged = await serviceToken(shop, 'kitchen', 'gateway');
      for (const token of [
        undefined,
        'garbage',
        world.tokens.admin,
        forged,
        ...Object.values(bad),
      ]) {
        const answer = await api.try(route, nonsense(route), token);
        expect(faultOfProblem(answer)).toBeUndefined();
        expect(codeOf(answer)).toBe('unauthorized');
      }
      const token = await serviceToken(shop, 'gateway');
      if (token === undefined) return;
      const answer = await api.try(route, nonsense(route), token);
      expect(['unauthorized', 'forbidden']).not.toContain(codeOf(answer));
    });
  });

  const owned = ofShopNames.filter((name) => routeOf(name).owner !== 'gateway');
  test.each(owned)('%s on the port of its owner believes no one but the gateway', async (name) => {
    const route = routeOf(name);
    await onPort(route.owner, async (api) => {
      const headers = {
        'rushlight-student': 'admin',
        'rushlight-role': 'admin',
        'rushlight-token': `x 1 ${Math.floor(Date.now() / 1000) + 600}`,
      };
      const parts = examples[name](world) as Parts;
      const named = { ...parts, headers: { ...(parts.headers as object), ...headers } };
      for (const token of [undefined, world.tokens.admin]) {
        const answer = await api.try(route, named, token);
        // Orders takes new orders in batches only, from the gateway.
        expect(codeOf(answer)).toBe(name === 'placeOrder' ? 'method_not_allowed' : 'unauthorized');
      }
      if (name === 'placeOrder') return;
      const kitchens = await serviceToken(shop, 'kitchen');
      if (kitchens === undefined || route.who === 'anyone') return;
      const answer = await api.try(route, named, kitchens);
      expect(codeOf(answer)).toBe('forbidden');
    });
  });

  const ofMonitor = Object.entries<Route>(monitorApi);
  test.each(ofMonitor)(
    '%s on the port of the monitor is for admins and services',
    async (_, route) => {
      await onPort('monitor', async (api) => {
        const { student, kitchen, admin } = world.tokens;
        const codeFor = async (token: string | undefined): Promise<string> => {
          const answer = await api.try(route, nonsense(route), token);
          return answer.status < 400 ? 'good' : codeOf(answer);
        };
        const forged = await serviceToken(shop, 'kitchen', 'gateway');
        for (const token of [undefined, 'garbage', forged, ...Object.values(bad)]) {
          expect(await codeFor(token)).toBe('unauthorized');
        }
        for (const token of [student, kitchen]) expect(await codeFor(token)).toBe('forbidden');
        const service = (await serviceToken(shop, 'kitchen')) ?? admin;
        for (const token of [admin, service]) {
          expect(['unauthorized', 'forbidden']).not.toContain(await codeFor(token));
        }
      });
    },
  );

  test.each(processNames)('%s: operations answer on this machine (F15)', async (name) => {
    await onPort(name, async (api) => {
      for (const path of ['/ping', '/ready', '/health', '/metrics']) {
        expect(`${path} ${(await api.send('GET', path)).status}`).toBe(`${path} 200`);
      }
      const metrics = await api.send('GET', '/metrics');
      expect(metrics.headers['content-type']).toMatch(
        /^(text\/plain|application\/openmetrics-text)/,
      );
      expect(metrics.text).toContain('http_requests_total');
      expect(metrics.text).not.toContain(world.student.studentId);
      for (const path of ['/debug', '/env', '/heapdump', '/.env']) {
        const answer = await api.send('GET', path);
        if (name === 'gateway')
          expect(answer.text).not.toContain('RUSHLIGHT_'); // The console's page.
        else expect(answer.status).toBe(404);
      }
    });
  });

  test('everything listens on this machine only', () => {
    for (const { name } of shop.platform.parts().filter((part) => part.name !== 'postgres')) {
      expect(shop.platform.serviceUrl(name)).toMatch(/^http:\/\/127\.0\.0\.1:/);
    }
  });
});

test('OpenAPI lists every route with its method, and no other', async () => {
  const answer = await shop.api.send('GET', '/api/openapi.json');
  expect(answer.status).toBe(200);
  const { openapi, paths } = jsonOf<{ openapi: string; paths: Record<string, object> }>(answer);
  expect(openapi).toMatch(/^3\./);
  const methods = new Set(['get', 'post', 'put', 'patch', 'delete']);
  const told = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((method) => methods.has(method))
      .map((method) => `${method} ${path}`),
  );
  const real = routeNames.map((name) => {
    const { method, path } = routeOf(name);
    return `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`;
  });
  expect(told.sort()).toEqual(real.sort());
  expect((await shop.api.send('GET', '/api/docs')).status).toBe(200);
});

test('after all of it the books are right', async () => {
  await shop.audit();
});
