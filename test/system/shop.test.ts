// The menu, the stock and the accounts of the whole platform, seen from outside.

import { publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { newKey, newName } from '../src/examples.ts';
import { codeOf, createApi, faultOfProblem } from '../src/http.ts';
import { place, placed } from '../src/ordering.ts';
import { type Shop, startShop } from '../src/platform.ts';
import { expectNoSecretInLogs } from '../src/secrets.ts';
import { openStream } from '../src/stream.ts';

const password = 'Tandoor-7-oven';
const secrets = new Set<string>([password, 'adminpassword']);
let shop: Shop;

beforeAll(async () => {
  // Nobody cooks by itself: each step of the kitchen is a button, so that no state is missed.
  shop = await startShop({ settings: { RUSHLIGHT_KITCHEN_AUTO: 'false' } });
});
afterAll(() => shop?.stop());

test('F7: sold out is said at once, and taken back within a second after new stock', async () => {
  const { api } = shop;
  const student = await shop.student();
  const itemId = await shop.item(1);
  const stream = await openStream(api, publicApi.allEvents.path, await shop.admin());
  await placed(shop, student, [{ itemId, quantity: 1 }]);
  await stream.next(
    'the menu says none is left',
    ({ kind, data }) => kind === 'menu' && data.itemId === itemId && data.available === 0,
  );
  const refused = await place(shop, student.token, [{ itemId, quantity: 1 }]);
  expect([refused.status, codeOf(refused)]).toEqual([422, 'sold_out']);
  const menu = (await api.call(publicApi.menu, { query: {} })).body;
  expect(menu.find((item) => item.itemId === itemId)?.available).toBe(0);

  const admin = await shop.admin();
  const item = (await api.call(publicApi.getItem, { params: { itemId } }, admin)).body;
  const edit = { params: { itemId }, body: { version: item.version, addStock: 1 } };
  await api.call(publicApi.editItem, edit, admin);
  const sold = () => place(shop, student.token, [{ itemId, quantity: 1 }]);
  await eventually('it sells again', async () => (await sold()).status === 201, {
    deadlineMs: 2_000,
    everyMs: 250,
  });
  stream.close();
});

test('an edit of a stale version changes nothing', async () => {
  const { api } = shop;
  const admin = await shop.admin();
  const itemId = await shop.item(5);
  const read = async () => (await api.call(publicApi.getItem, { params: { itemId } }, admin)).body;
  const { version } = await read();
  const edit = (body: { version: number; setStock?: number; addStock?: number }) =>
    api.try(publicApi.editItem, { params: { itemId }, body }, admin);
  expect((await edit({ version, setStock: 8 })).status).toBe(200);
  const stale = await edit({ version, setStock: 100 });
  expect([stale.status, codeOf(stale)]).toEqual([409, 'stale_version']);
  expect((await read()).available).toBe(8);
  const both = await edit({ version: version + 1, setStock: 1, addStock: 1 });
  expect([both.status, codeOf(both)]).toEqual([400, 'bad_request']);
  const short = await edit({ version: (await read()).version, addStock: -9 });
  expect([short.status, codeOf(short)]).toEqual([409, 'stock_short']);
});

test('two edits of the same version at once: one wins', async () => {
  const admin = await shop.admin();
  const itemId = await shop.item(5);
  const { version } = (await shop.api.call(publicApi.getItem, { params: { itemId } }, admin)).body;
  const body = { version, addStock: 1 };
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      shop.api.try(publicApi.editItem, { params: { itemId }, body }, admin),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
  expect((await shop.stockOf(itemId)).available).toBe(6);
});

test('a changed password and a logout end tokens at once', async () => {
  const { api } = shop;
  const studentId = newName('leaver');
  await api.call(publicApi.register, { body: { studentId, password, name: 'A Leaver' } });
  const login = async (secret: string): Promise<string> => {
    const { body } = await api.call(publicApi.login, { body: { studentId, password: secret } });
    secrets.add(body.token);
    return body.token;
  };
  const old = await login(password);
  expect((await api.try(publicApi.wallet, {}, old)).status).toBe(200);
  const next = 'Tandoor-8-grill';
  secrets.add(next);
  const change = { body: { password, newPassword: next } };
  expect((await api.call(publicApi.changePassword, change, old)).status).toBe(204);
  const ended = (token: string) =>
    eventually('the token is dead', async () => {
      const answer = await api.try(publicApi.wallet, {}, token);
      return answer.status === 401 && codeOf(answer) === 'unauthorized';
    });
  await ended(old);
  const fresh = await login(next);
  expect((await api.try(publicApi.wallet, {}, fresh)).status).toBe(200);
  expect((await api.call(publicApi.logout, {}, fresh)).status).toBe(204);
  await ended(fresh);
});

test('F18: the 4th login in a minute waits, but not from another address', async () => {
  const studentId = newName('victim');
  const body = { studentId, password: 'wrong-password' };
  const statuses: number[] = [];
  for (let tries = 0; tries < 4; tries++) {
    const answer = await shop.api.try(publicApi.login, { body });
    expect(faultOfProblem(answer)).toBeUndefined();
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([401, 401, 401, 429]);
  if (process.platform !== 'linux') return; // Only there the whole of 127/8 is ours.
  await using elsewhere = createApi(shop.api.url, '127.0.0.2');
  expect((await elsewhere.try(publicApi.login, { body })).status).toBe(401);
});

test('a student who is too fast is slowed down, with Retry-After', async () => {
  const student = await shop.student();
  const itemId = await shop.item(100);
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => place(shop, student.token, [{ itemId, quantity: 1 }])),
  );
  const slowed = answers.filter(({ status }) => status === 429);
  expect(slowed.length).toBeGreaterThan(0);
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(20);
  for (const answer of slowed) expect(faultOfProblem(answer)).toBeUndefined();
});

test('an item that was removed is sold no more', async () => {
  const { api } = shop;
  const student = await shop.student();
  const itemId = await shop.item(10);
  const admin = await shop.admin();
  await api.call(publicApi.removeItem, { params: { itemId } }, admin);
  const body = { lines: [{ itemId, quantity: 1 }] };
  const isUnknown = async (): Promise<boolean> => {
    const headers = { 'idempotency-key': newKey() };
    const answer = await api.try(publicApi.placeOrder, { headers, body }, student.token);
    return answer.status === 404 && codeOf(answer) === 'unknown_item';
  };
  await eventually('it is unknown', isUnknown, { everyMs: 300 });
  const menu = (await api.call(publicApi.menu, { query: {} })).body;
  expect(menu.some((item) => item.itemId === itemId)).toBe(false);
});

test('the menu of a fresh shop: 19 items in four courses, and a search', async () => {
  const fresh = (await shop.api.call(publicApi.menu, { query: {} })).body.filter(
    ({ itemId }) => !itemId.startsWith('dish-'),
  );
  expect(fresh).toHaveLength(19);
  expect([...new Set(fresh.map(({ category }) => category))]).toEqual([
    'mains',
    'sides',
    'drinks',
    'desserts',
  ]);
  const found = (await shop.api.call(publicApi.menu, { query: { q: 'CHICKEN' } })).body;
  expect(found.map(({ itemId }) => itemId).sort()).toEqual(['chicken-biryani', 'chicken-shawarma']);
});

test('the books are right, and no secret stands in any log (F20)', async () => {
  await shop.audit();
  expectNoSecretInLogs(shop, secrets);
});
