// Every public route with bad input, generated from the contracts. The rule: a problem document with
// a code of the table and its status, never a 5xx but 503 with Retry-After, never a hang; and
// whatever was refused has changed nothing.

import { type PublicRouteName, publicApi, type Route } from '@rushlight/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  examples,
  makeWorld,
  newKey,
  routeNames,
  routeOf,
  tokenFor,
  type World,
} from '../src/examples.ts';
import { type Answer, codeOf, faultOfProblem, type Parts } from '../src/http.ts';
import { attacks, mutantsOf, wrongBodies } from '../src/mutants.ts';
import { type Shop, startShop } from '../src/platform.ts';
import { newSeed } from '../src/report.ts';

let shop: Shop;
let world: World;

beforeAll(async () => {
  shop = await startShop({ settings: { RUSHLIGHT_KITCHEN_AUTO: 'false' } });
  world = await makeWorld(shop);
});
afterAll(() => shop?.stop());

const rightParts = (name: PublicRouteName): Parts => examples[name](world) as Parts;
const token = (route: Route): string | undefined => tokenFor(world, route);

type Wrong = { what: string; parts: Parts; codes?: readonly string[] };

/** Sends them all, a few at a time, and gives what is wrong with the answers. */
async function refusalsOf(route: Route, wrongs: readonly Wrong[]): Promise<string[]> {
  const faults: string[] = [];
  const waiting = [...wrongs];
  const work = async (): Promise<void> => {
    for (let wrong = waiting.shift(); wrong; wrong = waiting.shift()) {
      const { what, parts, codes = ['bad_request'] } = wrong;
      const said = `${route.method} ${route.path} ${what}`;
      try {
        const answer = await shop.api.try(route, parts, token(route));
        const fault = faultOfProblem(answer, said);
        if (fault !== undefined) faults.push(fault);
        else if (!codes.includes(codeOf(answer))) {
          faults.push(`${said} → ${codeOf(answer)} instead of ${codes.join(' or ')}`);
        }
      } catch (error) {
        // Whoever is still sending when it is refused may lose the answer with the connection.
        const isCut = what === '5 MB' && /EPIPE|ECONNRESET|other side closed/.test(String(error));
        if (!isCut) faults.push(`${said} → ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return faults;
}

/** Everything that a refused request could have changed. */
async function pictureOf(): Promise<unknown> {
  const { admin } = world.tokens;
  const read = async (name: PublicRouteName, parts: Parts = {}): Promise<unknown> => {
    const answer = await shop.api.try(routeOf(name), parts, admin);
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  };
  const users: unknown[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { limit: '100', ...(cursor === undefined ? {} : { cursor }) };
    const page = (await read('listUsers', { query })) as { items: unknown[]; nextCursor?: string };
    users.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  const wallet = await shop.api.call(publicApi.wallet, {}, world.tokens.student);
  const { orders, items, money } = (await read('audit')) as Record<string, unknown>;
  const faults = (await read('listFaults')) as { active: unknown[] };
  const letters = await read('listDeadLetters');
  const list = await read('listItems');
  return { users, list, orders, items, money, wallet: wallet.body, on: faults.active, letters };
}

describe('what breaks the contract is refused, and nothing is written', () => {
  let before: unknown;
  beforeAll(async () => {
    before = await pictureOf();
  });
  afterAll(async () => {
    expect(await pictureOf()).toEqual(before);
    await shop.audit();
  });

  const withBody = routeNames.filter((name) => routeOf(name).body !== undefined);
  test.each(withBody)('%s: every field of the body wrong in every way', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    const mutants = mutantsOf(route.body as never, parts.body);
    expect(mutants.length).toBeGreaterThan(10);
    const wrongs = mutants.map(({ what, value }) => ({ what, parts: { ...parts, body: value } }));
    expect(await refusalsOf(route, wrongs)).toEqual([]);
  });

  test.each(withBody)('%s: a body that is no JSON object', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    const codes = ['bad_request', 'body_too_large'];
    const wrongs = wrongBodies(JSON.stringify(parts.body)).map(({ what, body }) => ({
      what,
      parts: { ...parts, body },
      codes,
    }));
    expect(await refusalsOf(route, wrongs)).toEqual([]);
  });

  test.each(withBody)('%s: a body that is not declared as JSON', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x'];
    const wrongs = types.map((type) => ({
      what: `as ${type}`,
      parts: { ...parts, headers: { ...(parts.headers as object), 'content-type': type } },
      codes: ['unsupported_media_type'],
    }));
    expect(await refusalsOf(route, wrongs)).toEqual([]);
  });

  const withQuery = routeNames.filter((name) => routeOf(name).query !== undefined);
  test.each(withQuery)('%s: every field of the query wrong', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    // In a query all is text, so only the mutants that are text are wrong there for sure.
    const mutants = mutantsOf(route.query as never, parts.query).filter(({ value }) => {
      const fields = Object.entries(value ?? {});
      return typeof value === 'object' && fields.length > 0 && fields.every(isText);
    });
    const limitsOf = ['0', '-1', '101', '1.5', 'NaN', '1e2', '٣', '9'.repeat(400), '0x10', ' 5'];
    const limits = 'limit' in ((parts.query ?? {}) as object) ? limitsOf : [];
    const cursors = 'cursor' in ((parts.query ?? {}) as object) ? attacks : [];
    const wrongs = [
      ...mutants.map(({ what, value }) => ({ what, parts: { query: value } })),
      ...limits.map((limit) => ({ what: `limit ${limit}`, parts: { query: { limit } } })),
      ...cursors.filter(isNoId).map((cursor) => ({ what: 'cursor', parts: { query: { cursor } } })),
      { what: 'an unknown field', parts: { query: { surprise: '1' } } },
    ];
    expect(await refusalsOf(route, wrongs)).toEqual([]);
    const twice = await shop.api.send(
      route.method,
      `${route.path}?${'limit' in ((parts.query ?? {}) as object) ? 'limit=1&limit=2' : 'q=a&q=b'}`,
      { token: token(route) },
    );
    expect(faultOfProblem(twice, `${name} twice the same`)).toBeUndefined();
  });

  const withParams = routeNames.filter((name) => routeOf(name).params !== undefined);
  test.each(withParams)('%s: a path that names nothing', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    const field = Object.keys(parts.params as object)[0] ?? '';
    const texts = [...attacks, 'x'.repeat(290), '00000000-0000-0000-0000-000000000000', '-', '*'];
    const codes = ['bad_request', 'route_not_found', 'method_not_allowed', ...route.errors];
    const wrongs = texts
      .filter((text) => !/[\ud800-\udfff]/.test(text) || text.isWellFormed())
      .map((text) => ({ what: text, parts: { ...parts, params: { [field]: text } }, codes }));
    expect(await refusalsOf(route, wrongs)).toEqual([]);
    const raw = ['%', '%zz', '%ff%fe', '%00', '%ed%a0%80', '..%2f..%2f', 'x'.repeat(5_000)];
    for (const text of raw) {
      const path = route.path.replace(/:\w+/, text);
      const answer = await shop.api.send(route.method, path, {
        token: token(route),
        ...(parts.body === undefined
          ? {}
          : { body: JSON.stringify(parts.body), headers: { 'content-type': 'application/json' } }),
      });
      expect(faultOfProblem(answer, `${route.method} ${path.slice(0, 200)}`)).toBeUndefined();
    }
  });

  const withKey = routeNames.filter((name) => routeOf(name).headers !== undefined);
  test.each(withKey)('%s: an Idempotency-Key that is none', async (name) => {
    const route = routeOf(name);
    const parts = rightParts(name);
    const keys = ['', ' ', 'x'.repeat(256), 'x'.repeat(2_000), 'schlüssel', 'a\tb', 'ÿ'];
    const wrongs = [
      { what: 'without a key', parts: { ...parts, headers: {} } },
      ...keys.map((key) => ({
        what: `key ${JSON.stringify(key)}`,
        parts: { ...parts, headers: { 'idempotency-key': key } },
      })),
    ];
    expect(await refusalsOf(route, wrongs)).toEqual([]);
  });

  test('orders of nothing, of too much, and of what does not exist', async () => {
    const { itemId } = world;
    const lines = (given: unknown): Parts => ({
      headers: { 'idempotency-key': newKey() },
      body: { lines: given },
    });
    const unknown = { itemId: 'no-such-dish', quantity: 1 };
    const quantities = [0, -1, -0.5, 1.5, 51, 1e9, 2 ** 53, 1e308, '1', null, [1], true];
    const wrongs: Wrong[] = [
      ...quantities.map((quantity) => ({
        what: `quantity ${JSON.stringify(quantity)}`,
        parts: lines([{ itemId, quantity }]),
      })),
      {
        what: 'twice',
        parts: lines([
          { itemId, quantity: 1 },
          { itemId, quantity: 2 },
        ]),
      },
      {
        what: '21 lines',
        parts: lines(
          Array.from({ length: 21 }, (_, index) => ({ itemId: `dish-${index}`, quantity: 1 })),
        ),
      },
      { what: 'unknown', parts: lines([unknown]), codes: ['unknown_item'] },
      {
        what: 'known and unknown',
        parts: lines([{ itemId, quantity: 1 }, unknown]),
        codes: ['unknown_item'],
      },
    ];
    expect(await refusalsOf(publicApi.placeOrder, wrongs)).toEqual([]);
  });
});

function isText([, value]: [string, unknown]): boolean {
  return typeof value === 'string' && value.isWellFormed();
}
function isNoId(text: string): boolean {
  return text.isWellFormed() && !/^[A-Za-z0-9]/.test(text);
}

describe('what the contract allows, however strange, is never a mistake of ours', () => {
  afterAll(async () => {
    await shop.audit();
  });

  /** Paths to the strings in a value. */
  function stringsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
    if (typeof value === 'string') return [path];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => stringsIn(inner, [...path, name]));
  }
  function withAt(value: unknown, path: readonly string[], text: string): unknown {
    const [name, ...rest] = path;
    if (name === undefined) return text;
    const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
      string,
      unknown
    >;
    copy[name] = withAt(copy[name], rest, text);
    return copy;
  }
  const faultOf = (route: Route, answer: Answer, what: string): string | undefined =>
    answer.status in route.replies ? undefined : faultOfProblem(answer, what);

  test.each(routeNames)('%s: SQL, templates and broken text in every string', async (name) => {
    const route = routeOf(name);
    if (route.stream) return; // Nothing to put text into but the path, which was tried above.
    const faults: string[] = [];
    for (const part of ['body', 'query'] as const) {
      for (const path of stringsIn(rightParts(name)[part])) {
        for (const text of attacks) {
          if (part === 'query' && !text.isWellFormed()) continue;
          const parts = rightParts(name);
          const hostile = { ...parts, [part]: withAt(parts[part], path, text) };
          const answer = await shop.api.try(route, hostile, token(route));
          const what = `${name} ${part}.${path.join('.')} = ${JSON.stringify(text)}`;
          const fault = faultOf(route, answer, what);
          if (fault !== undefined) faults.push(fault);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test('text comes back as it was sent', async () => {
    const { admin } = world.tokens;
    for (const text of ["Robert'); DROP TABLE items; --", `$\{7*7}`, '<b>Ω</b> 🍛']) {
      const { body } = examples.addItem(world);
      const made = await shop.api.call(publicApi.addItem, { body: { ...body, name: text } }, admin);
      expect(made.body.name).toBe(text);
      const params = { itemId: body.itemId };
      const read = await shop.api.call(publicApi.getItem, { params }, admin);
      expect(read.body.name).toBe(text);
      await shop.api.call(publicApi.removeItem, { params }, admin);
    }
  });

  test('whatever JSON and whatever path: fuzzed', async () => {
    const seed = newSeed('the fuzzed requests');
    const names = routeNames.filter((name) => !routeOf(name).stream && name !== 'logout');
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 4, depthSize: 'small' }),
      fc.record({ lines: fc.jsonValue() }),
      fc.dictionary(fc.constantFrom('studentId', 'password', 'name', 'lines'), fc.jsonValue()),
    );
    const request = fc.record({
      name: fc.constantFrom(...names),
      body: fc.option(anything, { nil: undefined }),
      query: fc.dictionary(fc.constantFrom('limit', 'cursor', 'q', 'x'), fc.string(), {
        maxKeys: 3,
      }),
      text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
      key: fc.stringMatching(/^[\x20-\x7e]{0,300}$/),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ name, body, query, text, key }) => {
        const route = routeOf(name);
        const right = rightParts(name);
        const parts = {
          params: Object.fromEntries(
            Object.keys((right.params ?? {}) as object).map((field) => [field, text]),
          ),
          query,
          headers: { 'idempotency-key': key },
          ...(route.method === 'GET' || body === undefined ? {} : { body: JSON.stringify(body) }),
        };
        const answer = await shop.api.try(route, parts, token(route));
        expect(faultOf(route, answer, name)).toBeUndefined();
      }),
      { seed, numRuns: 400 },
    );
  });
});
