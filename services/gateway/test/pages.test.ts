import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errors } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFake } from './neighbours.ts';
import { startGateway, type TestGateway } from './start.ts';

let folder: string;
let shop: TestGateway;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-console-'));
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'the secret');
  await writeFile(join(folder, 'dist', '.hidden'), 'the secret');
  await writeFile(join(folder, 'dist', 'index.html'), '<title>Console</title>');
  await writeFile(join(folder, 'dist', 'assets', 'app-abc123.js'), 'console.log(1)');
  shop = await startGateway({ env: { RUSHLIGHT_GATEWAY_CONSOLE: join(folder, 'dist') } });
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const page = { accept: 'text/html,application/xhtml+xml' };

/** Sends the path as it stands: fetch would tidy it up. */
function getRaw(path: string): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const { port } = new URL(shop.gateway.url);
    request({ host: '127.0.0.1', port, path }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, text }));
    })
      .on('error', fail)
      .end();
  });
}

test('the page is fresh, its assets are kept for ever', async () => {
  const index = await shop.get('/', page);
  expect(await index.text()).toContain('Console');
  expect(index.headers.get('cache-control')).toBe('no-cache');
  expect(index.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(index.headers.get('content-type')).toContain('text/html');
  const asset = await shop.get('/assets/app-abc123.js');
  expect(await asset.text()).toBe('console.log(1)');
  expect(asset.headers.get('cache-control')).toContain('immutable');
  expect(asset.headers.get('content-type')).toContain('javascript');
});

test('any path that a browser goes to is the page; others are not there', async () => {
  expect(await (await shop.get('/orders/42', page)).text()).toContain('Console');
  for (const path of ['/orders/42', '/assets/gone.js', '/favicon.ico']) {
    const answer = await shop.get(path);
    expect([answer.status, ((await answer.json()) as { code: string }).code], path).toEqual([
      404,
      'route_not_found',
    ]);
  }
  expect((await shop.get('/api/nowhere', page)).status).toBe(404);
  expect((await shop.get('/api', page)).status).toBe(404);
});

test('nothing outside the folder can be read, however the path is written', async () => {
  const paths = [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '//secret.txt',
    '/%00/secret.txt',
    '/.hidden',
    '/%2ehidden',
    '/%',
    `/${'../'.repeat(20)}etc/passwd`,
  ];
  for (const path of paths) {
    const { status, text } = await getRaw(path);
    expect(status, path).toBeGreaterThanOrEqual(400);
    expect(status, path).toBeLessThan(500);
    expect(text, path).not.toContain('the secret');
    expect(text, path).not.toContain('root:');
  }
});

test('a console that was not built says so plainly', async () => {
  await using bare = await startGateway({
    env: { RUSHLIGHT_GATEWAY_CONSOLE: join(folder, 'nowhere') },
  });
  const answer = await bare.get('/', page);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('not built');
});

test('the API page, its parts and the table of errors are served here', async () => {
  const docs = await shop.get('/api/docs');
  const html = await docs.text();
  expect(docs.headers.get('content-security-policy')).toContain("script-src 'self'");
  const parts = [...html.matchAll(/(?:src|href)="(\/api[^"]+)"/g)].map((match) => match[1] ?? '');
  expect(parts.length).toBeGreaterThanOrEqual(5);
  for (const part of parts) expect((await shop.get(part)).status, part).toBe(200);
  const document = (await (await shop.get('/api/openapi.json')).json()) as { openapi: string };
  expect(document.openapi).toBe('3.1.0');
  const table = await (await shop.get('/api/docs/errors')).text();
  for (const code of Object.keys(errors)) expect(table).toContain(`id="${code}"`);
});

test('with the lab off its routes do not exist, for nobody', async () => {
  await using closed = await startGateway({ lab: false });
  const admin = await closed.as({ role: 'admin' });
  for (const [method, path] of [
    ['GET', '/api/v1/lab/faults'],
    ['POST', '/api/v1/lab/faults'],
    ['DELETE', '/api/v1/lab/faults/x'],
    ['POST', '/api/v1/lab/crowd'],
  ] as const) {
    for (const headers of [{}, admin]) {
      const answer = await closed.send(method, path, undefined, headers);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'lab_off' });
    }
  }
});

test('with the lab on it is for admins', async () => {
  expect((await shop.get('/api/v1/lab/faults')).status).toBe(401);
  expect((await shop.get('/api/v1/lab/faults', await shop.as())).status).toBe(403);
  const answer = await shop.get('/api/v1/lab/faults', await shop.as({ role: 'admin' }));
  expect(await answer.json()).toEqual({ catalogue: [], active: [] });
});

test('faults are the launcher’s', async () => {
  await using launcher = await startFake();
  const now = new Date().toISOString();
  const active = { id: 'f1', fault: 'kill', target: 'orders', startedAt: now, endsAt: now };
  launcher.on('GET /parts', () => ({ body: { parts: [], faults: [active] } }));
  launcher.on('POST /faults', () => ({ status: 201, body: active }));
  launcher.on('DELETE /faults', ({ path }) =>
    path.includes('id=f1') || path === '/faults'
      ? { status: 204 }
      : { status: 404, body: { code: 'unknown_fault', fault: 'x', target: 'y' } },
  );
  await using lab = await startGateway({ env: { RUSHLIGHT_LAUNCHER_URL: launcher.url } });
  const admin = await lab.as({ role: 'admin' });
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await lab.send(method, `/api/v1/lab/faults${path}`, body, admin);
    const text = await answer.text();
    return [answer.status, text === '' ? undefined : JSON.parse(text)];
  };
  expect(await call('GET', '')).toMatchObject([200, { active: [active] }]);
  const fault = { fault: 'kill', target: 'orders', durationS: 1 };
  expect(await call('POST', '', fault)).toEqual([201, active]);
  const unknown = { code: 'unknown_fault' };
  expect(await call('POST', '', { ...fault, fault: 'melt' })).toMatchObject([404, unknown]);
  expect(await call('POST', '', { ...fault, target: 'moon' })).toMatchObject([404, unknown]);
  expect(await call('POST', '', { ...fault, durationS: 301 })).toMatchObject([400, {}]);
  expect(await call('DELETE', '/f1')).toEqual([204, undefined]);
  expect(await call('DELETE', '/f2')).toMatchObject([404, unknown]);
  expect(await call('DELETE', '')).toEqual([204, undefined]);
});

test('a crowd has tokens and money', async () => {
  const { identity, payments } = shop.fakes;
  const students = [
    { studentId: 'crowd-1', token: 't1' },
    { studentId: 'crowd-2', token: 't2' },
  ];
  identity.on('POST /internal/crowd', () => ({ body: { students } }));
  payments.on('POST /internal/wallets/fund', () => ({ status: 204 }));
  const admin = await shop.as({ role: 'admin' });
  const answer = await shop.send('POST', '/api/v1/lab/crowd', { students: 2 }, admin);
  expect([answer.status, await answer.json()]).toEqual([200, students]);
  expect(payments.seen.at(-1)?.body).toEqual({
    studentIds: ['crowd-1', 'crowd-2'],
    balanceCents: 100_000,
  });
});

test('the health grid joins processes with what they say of themselves', async () => {
  await using launcher = await startFake();
  const part = { running: true, sinceMs: 1_000_000, pid: 7, memoryMb: 64, restarts: 0 };
  const parts = ['orders', 'kitchen', 'postgres'].map((name) => ({ ...part, name }));
  parts.push({ ...part, name: 'payments', running: false, pid: 0 });
  launcher.on('GET /parts', () => ({ body: { parts, faults: [] } }));
  await using watched = await startGateway({ env: { RUSHLIGHT_LAUNCHER_URL: launcher.url } });
  watched.fakes.kitchen.on('GET /health', () => ({
    body: { status: 'degraded', dependencies: { bus: 'down' } },
  }));
  await watched.fakes.notifications.close();
  const answer = await watched.get('/api/v1/admin/services', await watched.as({ role: 'admin' }));
  const states = (await answer.json()) as { name: string; state: string; pid: number }[];
  const of = (name: string) => states.find((one) => one.name === name);
  expect(states).toHaveLength(8);
  expect(of('orders')).toMatchObject({ state: 'up', pid: 7, since: '1970-01-01T00:16:40.000Z' });
  expect(of('kitchen')).toMatchObject({ state: 'degraded', dependencies: { bus: 'down' } });
  expect(of('payments')).toMatchObject({ state: 'down' });
  expect(of('notifications')).toMatchObject({ state: 'down', pid: null });
  expect(of('postgres')).toMatchObject({ state: 'up', memoryMb: 64 });
  expect(of('gateway')).toMatchObject({
    state: 'degraded',
    dependencies: { notifications: 'down', orders: 'up', bus: 'up' },
  });
});

test('dead letters that are not there are told', async () => {
  const admin = await shop.as({ role: 'admin' });
  expect(await (await shop.get('/api/v1/admin/dead-letters', admin)).json()).toEqual([]);
  for (const id of ['x', '1', '0199f0a0-0000-7000-8000-000000000001', "'; --"]) {
    const path = `/api/v1/admin/dead-letters/${encodeURIComponent(id)}`;
    for (const [method, at] of [
      ['POST', `${path}/replay`],
      ['DELETE', path],
    ] as const) {
      const answer = await shop.send(method, at, undefined, admin);
      expect([answer.status, await answer.json()], id).toMatchObject([
        404,
        { code: 'unknown_letter' },
      ]);
    }
  }
});
