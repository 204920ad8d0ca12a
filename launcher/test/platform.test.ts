import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { partNames, processNames, serviceNames } from '@rushlight/contracts';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PartEvent, type Platform, startPlatform } from '../src/index.ts';
import { fakeCommand } from './fake-command.ts';
import { signedToken } from './signed-token.ts';
import { processesWith, temporaryFolder, until } from './support.ts';

/** It takes 0.2 to 0.5 s where nobody else computes. */
const backMsMax = 15_000;
const folder = temporaryFolder();
const events: { name: string; event: PartEvent }[] = [];
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({
    data: folder.path,
    port: 0,
    lab: true,
    settings: {
      RUSHLIGHT_LOG_LEVEL: 'warn',
      RUSHLIGHT_KITCHEN_STATIONS: '8',
      RUSHLIGHT_MONITOR_OTLP_PORT: '0',
      RUSHLIGHT_MONITOR_ALERTS_SLACK_URL: 'https://hooks.example/secret',
    },
    env: { orders: { RUSHLIGHT_ORDERS_X: '1' } },
    command: fakeCommand,
    onPart: (name, event) => void events.push({ name, event }),
  });
});

afterAll(async () => {
  await platform?.stop();
  folder[Symbol.dispose]();
});

type Told = { pid: number; environment: Record<string, string> };

async function ask(name: Parameters<Platform['serviceUrl']>[0]): Promise<Told> {
  return (await (await fetch(platform.serviceUrl(name))).json()) as Told;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function partOf(name: string) {
  const part = platform.parts().find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`no part ${name}`);
  return part;
}

async function control(method: string, path: string, body?: unknown, token?: string) {
  const { environment } = await ask('gateway');
  const signed = signedToken(environment['RUSHLIGHT_SERVICE_KEY'], {
    iss: 'gateway',
    sub: 'gateway',
    aud: 'rushlight-internal',
    exp: Date.now() / 1000 + 60,
  });
  const response = await fetch(`${environment['RUSHLIGHT_LAUNCHER_URL']}${path}`, {
    method,
    headers: { authorization: `Bearer ${token ?? signed}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

test('every service is told who it is and where things are, and nothing that is not its own', async () => {
  const { environment: orders } = await ask('orders');
  expect(orders).toMatchObject({
    RUSHLIGHT_SERVICE: 'orders',
    RUSHLIGHT_LAB: 'true',
    RUSHLIGHT_LOG_LEVEL: 'warn',
    RUSHLIGHT_ORDERS_X: '1',
    RUSHLIGHT_DATA: join(folder.path, 'services', 'orders'),
  });
  expect(orders).not.toHaveProperty('RUSHLIGHT_LAUNCHER_URL');
  expect(orders).not.toHaveProperty('RUSHLIGHT_KITCHEN_STATIONS');
  expect(Object.keys(orders).filter((name) => name.startsWith('npm_'))).toEqual([]);
  expect((await ask('kitchen')).environment).toHaveProperty('RUSHLIGHT_KITCHEN_STATIONS', '8');
  const { environment: gateway } = await ask('gateway');
  expect(gateway).not.toHaveProperty('RUSHLIGHT_DATABASE_URL');
  expect(gateway).toHaveProperty('RUSHLIGHT_BUS_URL');
  const keys = JSON.parse(gateway['RUSHLIGHT_SERVICE_KEYS'] ?? '').keys as { kid: string }[];
  expect(keys.map(({ kid }) => kid)).toEqual(processNames);
  expect(JSON.stringify(keys)).not.toContain('"d"');
});

test('the monitor is told who it is, where logs and services are, and no database', async () => {
  await platform.whenUp('monitor');
  const { environment: monitor } = await ask('monitor');
  expect(monitor).toMatchObject({
    RUSHLIGHT_SERVICE: 'monitor',
    RUSHLIGHT_DATA: join(folder.path, 'services', 'monitor'),
    RUSHLIGHT_MONITOR_LOG_FOLDER: platform.logs,
    RUSHLIGHT_MONITOR_OTLP_PORT: new URL(platform.otlp?.url ?? '').port,
    RUSHLIGHT_MONITOR_ALERTS_SLACK_URL: 'https://hooks.example/secret',
  });
  expect(JSON.parse(monitor['RUSHLIGHT_SERVICE_KEY'] ?? '')).toMatchObject({ kid: 'monitor' });
  const urls = JSON.parse(monitor['RUSHLIGHT_SERVICE_URLS'] ?? '');
  expect(Object.keys(urls)).toEqual(processNames);
  const names = Object.keys(monitor).join(' ');
  expect(names).not.toMatch(/DATABASE|BUS_URL|LAUNCHER|OTEL_/);
});

test('services send telemetry to the monitor, whose settings they do not see', async () => {
  for (const name of serviceNames) {
    const { environment } = await ask(name);
    expect(environment['OTEL_EXPORTER_OTLP_ENDPOINT']).toBe(platform.otlp?.url);
    expect(Object.keys(environment).join(' ')).not.toMatch(/RUSHLIGHT_MONITOR|OTLP_HEADERS/);
    expect(JSON.parse(environment['RUSHLIGHT_SERVICE_URLS'] ?? '')).toHaveProperty('monitor');
  }
});

test('a database is open to its owner and to nobody else', async () => {
  const { environment } = await ask('payments');
  const own = environment['RUSHLIGHT_DATABASE_URL'] ?? '';
  expect(await query(own, 'SELECT current_database() AS name')).toEqual([{ name: 'payments' }]);
  const provider = environment['RUSHLIGHT_PROVIDER_DATABASE_URL'] ?? '';
  expect(await query(provider, 'SELECT current_user AS name')).toEqual([{ name: 'provider' }]);
  for (const other of ['orders', 'provider', 'bus', 'postgres', 'template1']) {
    const url = own.replace(/\/payments$/, `/${other}`);
    await expect(query(url, 'SELECT 1')).rejects.toThrow(/permission denied/);
  }
  await expect(query(own.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
});

test('Postgres is durable, and answers on the loopback only', async () => {
  const url = platform.databaseUrl('orders');
  const rows = await query(
    url,
    `SELECT name, setting FROM pg_settings WHERE name IN
     ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses',
      'server_encoding') ORDER BY name`,
  );
  expect(rows).toEqual([
    { name: 'data_checksums', setting: 'on' },
    { name: 'fsync', setting: 'on' },
    { name: 'full_page_writes', setting: 'on' },
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'server_encoding', setting: 'UTF8' },
    { name: 'synchronous_commit', setting: 'on' },
  ]);
});

test('a second start on the same folder is refused', async () => {
  const second = startPlatform({ data: folder.path, port: 0, lab: true, command: fakeCommand });
  await expect(second).rejects.toThrow(/already runs on/);
  expect(await query(platform.databaseUrl('orders'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a killed service is back in no time, at the same address', async () => {
  const before = await ask('inventory');
  const killedMs = performance.now();
  platform.kill('inventory');
  await until('death', () => partOf('inventory').pid !== before.pid);
  await platform.whenUp('inventory');
  expect(performance.now() - killedMs).toBeLessThan(backMsMax);
  expect((await ask('inventory')).pid).not.toBe(before.pid);
  expect(partOf('inventory')).toMatchObject({ running: true, restarts: 1 });
  const seen = events.filter(({ name }) => name === 'inventory').map(({ event }) => event);
  expect(seen.slice(-3)).toEqual([
    { type: 'died', how: 'SIGKILL', wasReady: true },
    { type: 'started', pid: partOf('inventory').pid },
    { type: 'ready', first: false, downMs: expect.any(Number) },
  ]);
});

test('what became of a part is written down beside the logs of the parts', () => {
  const lines = readFileSync(join(folder.path, 'logs', 'launcher.log'), 'utf8')
    .trim()
    .split('\n');
  const [died, back] = lines
    .map((line) => JSON.parse(line))
    .filter((line) => line.part === 'inventory');
  expect(died).toMatchObject({
    level: 'warn',
    service: 'launcher',
    msg: 'inventory died (SIGKILL)',
  });
  expect(back).toMatchObject({
    level: 'info',
    msg: expect.stringMatching(/^inventory is back after/),
  });
});

test('Postgres that is killed is back with all that was committed', async () => {
  const url = platform.databaseUrl('orders');
  await query(url, 'CREATE TABLE IF NOT EXISTS kept (n int)');
  for (let round = 1; round <= 3; round += 1) {
    await query(url, `INSERT INTO kept SELECT generate_series(1, 5000)`);
    const { pid } = partOf('postgres');
    const killedMs = performance.now();
    platform.kill('postgres');
    await until('death', () => partOf('postgres').pid !== pid);
    await platform.whenUp('postgres');
    expect(performance.now() - killedMs).toBeLessThan(backMsMax);
    const count = 'SELECT count(*)::int AS n FROM kept';
    expect(await query(url, count)).toEqual([{ n: round * 5_000 }]);
  }
});

test('the gateway, and nobody else, sees the parts and what they weigh', async () => {
  const { status, body } = await control('GET', '/parts');
  expect(status).toBe(200);
  expect(body.parts.map(({ name }: { name: string }) => name).sort()).toEqual(
    [...partNames].sort(),
  );
  for (const part of body.parts) expect(part.memoryMb).toBeGreaterThan(3);
  expect(await control('GET', '/parts', undefined, 'a.b.c')).toMatchObject({
    status: 401,
    body: { code: 'unauthorized' },
  });
});

test('a kill with a duration keeps the target down that long', async () => {
  const fault = { fault: 'kill', target: 'orders', durationS: 1 };
  const startedMs = performance.now();
  const answer = await control('POST', '/faults', fault);
  expect(answer).toMatchObject({ status: 201, body: { fault: 'kill', target: 'orders' } });
  await until('death', () => !partOf('orders').running);
  expect((await control('GET', '/parts')).body.faults).toEqual([answer.body]);
  await platform.whenUp('orders');
  expect(performance.now() - startedMs).toBeGreaterThan(1_000);
  expect((await control('GET', '/parts')).body.faults).toEqual([]);
});

test('a kill that is healed early lets the target come back early', async () => {
  const fault = { fault: 'kill', target: 'orders', durationS: 300 };
  const { body } = await control('POST', '/faults', fault);
  await until('death', () => !partOf('orders').running);
  expect(await control('DELETE', `/faults?id=${body.id}`)).toMatchObject({ status: 204 });
  await platform.whenUp('orders');
});

test('a stopped service is silent, and goes on when all who stopped it are through', async () => {
  const fault = { fault: 'stop', target: 'kitchen', durationS: 300 };
  const { pid } = await ask('kitchen');
  await control('POST', '/faults', fault);
  const second = await control('POST', '/faults', fault);
  const silent = fetch(platform.serviceUrl('kitchen'), { signal: AbortSignal.timeout(300) });
  await expect(silent).rejects.toThrow();
  await control('DELETE', `/faults?id=${second.body.id}`);
  const still = fetch(platform.serviceUrl('kitchen'), { signal: AbortSignal.timeout(300) });
  await expect(still).rejects.toThrow();
  await control('DELETE', '/faults');
  expect((await ask('kitchen')).pid).toBe(pid);
});

test('a stopped Postgres, its backends included, goes on by itself', async () => {
  const client = new pg.Client({ connectionString: platform.databaseUrl('orders') });
  await client.connect();
  await control('POST', '/faults', { fault: 'stop', target: 'postgres', durationS: 0.5 });
  const startedMs = performance.now();
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  expect(performance.now() - startedMs).toBeGreaterThan(250);
  await client.end();
});

test('the gateway can pass on the answer to its own death', async () => {
  const { pid } = await ask('gateway');
  const fault = { fault: 'kill', target: 'gateway', durationS: 0 };
  expect(await control('POST', '/faults', fault)).toMatchObject({ status: 201 });
  await until('another gateway', async () => {
    const now = await ask('gateway').catch(() => undefined);
    return now !== undefined && now.pid !== pid;
  });
});

test.each([
  [404, 'unknown_fault', 'POST', '/faults', { fault: 'melt', target: 'orders', durationS: 1 }],
  [404, 'unknown_fault', 'POST', '/faults', { fault: 'kill', target: 'toString', durationS: 1 }],
  [404, 'unknown_fault', 'POST', '/faults', { fault: 'toString', target: 'orders', durationS: 1 }],
  [404, 'unknown_fault', 'DELETE', '/faults?id=none', undefined],
  [400, 'bad_request', 'POST', '/faults', { fault: 'kill', target: 'orders', durationS: 301 }],
  [400, 'bad_request', 'POST', '/faults', { fault: 'kill', target: 'orders', durationS: -1 }],
  [400, 'bad_request', 'POST', '/faults', { fault: 'kill', target: 'orders' }],
  [400, 'bad_request', 'POST', '/faults', '{"fault":'],
  [413, 'body_too_large', 'POST', '/faults', 'x'.repeat(70_000)],
  [404, 'route_not_found', 'GET', '/secrets', undefined],
])('bad input is answered %i %s', async (status, code, method, path, body) => {
  expect(await control(method, path, body)).toMatchObject({ status, body: { code, status } });
});

test('each part has a log, and what a killed process said last is in it', () => {
  for (const name of partNames) {
    expect(readFileSync(join(platform.logs, `${name}.log`), 'utf8')).not.toBe('');
  }
});

test('who scrapes finds every process by a file, as long as they run', async () => {
  const file = join(folder.path, 'targets.json');
  type Target = { targets: string[]; labels: { service: string; instance: string } };
  const targets: Target[] = JSON.parse(readFileSync(file, 'utf8'));
  expect(targets.map(({ labels }) => labels.service).sort()).toEqual([...processNames].sort());
  const gateway = targets.find(({ labels }) => labels.service === 'gateway');
  expect(gateway?.targets).toEqual([new URL(platform.url).host]);
});

test('the end leaves no process, no lock, and no open port', async () => {
  const url = platform.url;
  const pids = platform.parts().map(({ pid }) => pid);
  await platform.stop();
  await platform.stop();
  for (const pid of pids) expect(() => process.kill(pid ?? 0, 0)).toThrow();
  expect(processesWith(folder.path)).toEqual([]);
  for (const name of ['lock', 'targets.json']) {
    expect(() => readFileSync(join(folder.path, name))).toThrow();
  }
  await expect(fetch(url)).rejects.toThrow();
});

test('what was written is there after the next start, unless it is to be forgotten', async () => {
  for (const fresh of [false, true]) {
    await using again = await startPlatform({
      data: folder.path,
      port: 0,
      lab: false,
      fresh,
      command: fakeCommand,
    });
    const found = await query(again.databaseUrl('orders'), `SELECT to_regclass('kept') AS kept`);
    expect(found).toEqual([{ kept: fresh ? null : 'kept' }]);
  }
});

test('a taken port is told before anything starts', async () => {
  using data = temporaryFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await until('listening', () => server.listening);
  const { port } = server.address() as { port: number };
  const start = startPlatform({ data: data.path, port, lab: true, command: fakeCommand });
  await expect(start).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken. Choose another one: npm start -- --port ${port + 1}`,
  );
  server.close();
  expect(() => readFileSync(join(data.path, 'lock'))).toThrow();
  expect(processesWith(data.path)).toEqual([]);
});

test.each([
  ['crash', /orders does not start \(exit code 1\).*\n[\s\S]*nothing works today/],
  ['bad-config', /orders does not start \(exit code 78\).*\n[\s\S]*FAKE_MODE is wrong/],
])('a service that cannot start (%s) ends the start with its last words', async (mode, words) => {
  using data = temporaryFolder();
  const start = startPlatform({
    data: data.path,
    port: 0,
    lab: true,
    env: { orders: { RUSHLIGHT_ORDERS_FAKE_MODE: mode } },
    command: fakeCommand,
  });
  await expect(start).rejects.toThrow(words);
  expect(processesWith(data.path)).toEqual([]);
});

test('a start can be given up at any moment', async () => {
  for (const afterMs of [0, 300, 900, 1_500]) {
    using data = temporaryFolder();
    const giveUp = new AbortController();
    setTimeout(() => giveUp.abort(new Error('given up')), afterMs);
    const start = startPlatform({
      data: data.path,
      port: 0,
      lab: true,
      signal: giveUp.signal,
      command: fakeCommand,
    });
    await start.then((started) => started.stop()).catch(() => undefined);
    expect(processesWith(data.path)).toEqual([]);
    expect(() => readFileSync(join(data.path, 'lock'))).toThrow();
  }
});

test.runIf(process.getuid?.() === 0)(
  'as root, a data folder that "nobody" cannot walk to works like any other, and is as private',
  async () => {
    using closed = temporaryFolder();
    const data = join(closed.path, 'data');
    const options = { data, port: 0, lab: true, command: fakeCommand };
    {
      await using first = await startPlatform(options);
      await query(first.databaseUrl('orders'), 'CREATE TABLE kept (n int)');
      expect(statSync(closed.path).mode & 0o077).toBe(0);
    }
    await using second = await startPlatform(options);
    const found = await query(second.databaseUrl('orders'), `SELECT to_regclass('kept') AS kept`);
    expect(found).toEqual([{ kept: 'kept' }]);
  },
);
