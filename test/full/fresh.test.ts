// The command, as a person meets it: started, started again, stopped, started wrongly, killed.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import { publicApi } from '@rushlight/contracts';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Running, runLauncher, runNpmStart } from '../src/command.ts';
import { eventually } from '../src/eventually.ts';
import { codeOf, createApi } from '../src/http.ts';
import { place, placed } from '../src/ordering.ts';
import { visit } from '../src/platform.ts';
import { descendantsOf, isRunning, processesBelow, pssMbOf } from '../src/processes.ts';
import { newSeed, report } from '../src/report.ts';
import { judge, startShoppers } from '../src/shoppers.ts';

const parent = mkdtempSync(join(tmpdir(), 'rushlight-fresh-'));
const started = new Set<Running>();
const quick = { RUSHLIGHT_KITCHEN_COOK_S_MIN: '0', RUSHLIGHT_KITCHEN_COOK_S_MAX: '0' };

afterEach(async () => {
  for (const running of started) {
    if (isRunning(running.pid)) {
      process.kill(running.pid, 'SIGTERM');
      await running.ended();
    }
  }
  started.clear();
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

type Place = { data: string; port: number; url: string; args: string[] };

async function newPlace(name: string): Promise<Place> {
  const port = await freePort();
  const data = join(parent, name);
  const args = ['--data', data, '--port', String(port)];
  return { data, port, url: `http://127.0.0.1:${port}`, args };
}

function keep(running: Running): Running {
  started.add(running);
  return running;
}

async function start(at: Place, more: readonly string[] = []): Promise<Running> {
  const running = keep(runLauncher([...at.args, ...more], quick));
  await running.ready();
  return running;
}

/** Stops it as Ctrl-C does, and looks whether anything is left. */
async function stop(running: Running, at: Place): Promise<void> {
  const all = [running.pid, ...descendantsOf(running.pid)];
  process.kill(-running.pid, 'SIGINT');
  expect(await running.ended(), running.output()).toBe(0);
  await expectNothingLeft(all, at);
}

async function expectNothingLeft(pids: readonly number[], { data }: Place): Promise<void> {
  expect(pids.filter(isRunning)).toEqual([]);
  expect(processesBelow(data)).toEqual([]);
  expect(existsSync(join(data, 'lock'))).toBe(false);
}

const lastLines = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('>'));

test('npm start: a first order is settled, Ctrl-C leaves nothing, the second start remembers', async () => {
  const at = await newPlace('twice');
  const startedMs = performance.now();
  const first = keep(runNpmStart(at.args, quick));
  await first.ready();
  const shop = visit(at.url);
  const token = await shop.login('student1');
  const student = { studentId: 'student1', token };
  const orderId = await placed(shop, student, [{ itemId: 'lentil-soup', quantity: 1 }]);
  await shop.reached(orderId, ['paid', 'in_kitchen', 'ready', 'collected']);
  const firstMs = performance.now() - startedMs;
  for (const word of ['gateway', 'postgres', 'student1 / password123', at.url]) {
    expect(first.output()).toContain(word);
  }
  await shop.reached(orderId, ['ready', 'collected']);
  const pids = [first.pid, ...descendantsOf(first.pid)];
  report(`npm start on a new folder to the first settled order: ${(firstMs / 1000).toFixed(1)} s`);
  report(`memory of everything, idle: ${pssMbOf(pids)} MB (PSS, ${pids.length} processes)`);
  await shop.api[Symbol.asyncDispose]();
  await stop(first, at);

  const againMs = performance.now();
  const second = keep(runNpmStart(at.args, quick));
  await second.ready();
  const again = visit(at.url);
  const kept = await again.reached(orderId, ['ready', 'collected']);
  expect(kept.orderId).toBe(orderId);
  const next = await placed(again, { studentId: 'student1', token }, [
    { itemId: 'lentil-soup', quantity: 1 },
  ]);
  await again.reached(next, ['paid', 'in_kitchen', 'ready', 'collected']);
  report(
    `npm start again to the first settled order: ${((performance.now() - againMs) / 1000).toFixed(1)} s`,
  );
  await again.audit();
  await again.api[Symbol.asyncDispose]();
  await stop(second, at);
});

test('two instances live side by side; a folder or a port that is taken is refused in a line', async () => {
  const [one, two] = [await newPlace('one'), await newPlace('two')];
  const [first, second] = await Promise.all([start(one), start(two)]);
  const shops = [visit(one.url), visit(two.url)] as const;
  for (const shop of shops) {
    const token = await shop.login('student2');
    const student = { studentId: 'student2', token };
    const orderId = await placed(shop, student, [{ itemId: 'kunafa', quantity: 1 }]);
    await shop.reached(orderId, ['collected', 'ready']);
  }
  const [tokenOfOne] = [await shops[0].login('student2')];
  const foreign = await shops[1].api.try(publicApi.wallet, {}, tokenOfOne);
  expect(codeOf(foreign), 'a token of one shop is nothing in the other').toBe('unauthorized');

  const sameFolder = keep(
    runLauncher(['--data', one.data, '--port', String(await freePort())], quick),
  );
  expect(await sameFolder.ended()).toBe(1);
  expect(lastLines(sameFolder.output())).toHaveLength(1);
  expect(sameFolder.output()).toContain(one.data);

  const samePort = keep(
    runLauncher(['--data', join(parent, 'port'), '--port', String(one.port)], quick),
  );
  expect(await samePort.ended()).toBe(1);
  expect(lastLines(samePort.output())).toHaveLength(1);
  expect(samePort.output()).toMatch(new RegExp(`Port ${one.port}\\b.* taken.*--port`));
  expect(existsSync(join(parent, 'port', 'lock'))).toBe(false);
  expect(processesBelow(join(parent, 'port'))).toEqual([]);

  for (const shop of shops) {
    await shop.audit();
    await shop.api[Symbol.asyncDispose]();
  }
  await Promise.all([stop(first, one), stop(second, two)]);
});

test('a port that somebody else has is refused too', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const refused = keep(runLauncher(['--data', join(parent, 'other'), '--port', String(port)]));
  expect(await refused.ended()).toBe(1);
  expect(refused.output()).toContain(`Port ${port}`);
  expect(lastLines(refused.output())).toHaveLength(1);
  server.close();
});

test('every mistake in the settings is told at once, before anything starts', async () => {
  const data = join(parent, 'mistakes');
  const refused = keep(
    runLauncher(['--data', data, '--port', '99999', '--surprise'], {
      RUSHLIGHT_LOG_LEVEL: 'loud',
      RUSHLIGHT_NONSENSE: '1',
    }),
  );
  expect(await refused.ended()).toBe(1);
  for (const word of ['--port', '--surprise', 'RUSHLIGHT_LOG_LEVEL', 'RUSHLIGHT_NONSENSE']) {
    expect(refused.output()).toContain(word);
  }
  expect(existsSync(data)).toBe(false);
});

test('F14: without the lab there are no demo logins, no faults and no crowd', async () => {
  const at = await newPlace('no-lab');
  const running = await start(at, ['--no-lab']);
  const [, password = ''] = /admin \/ (\S+)/.exec(running.output()) ?? [];
  expect(password.length).toBeGreaterThan(10);
  for (const word of ['password123', 'adminpassword']) {
    expect(running.output()).not.toContain(word);
  }
  await using api = createApi(at.url);
  const demo = { student1: 'password123', kitchen: 'kitchenpassword', admin: 'adminpassword' };
  for (const [studentId, secret] of Object.entries(demo)) {
    const answer = await api.try(publicApi.login, { body: { studentId, password: secret } });
    expect([answer.status, codeOf(answer)]).toEqual([401, 'wrong_credentials']);
  }
  const { body } = await api.call(publicApi.login, { body: { studentId: 'admin', password } });
  for (const route of [
    publicApi.listFaults,
    publicApi.startFault,
    publicApi.clearFaults,
    publicApi.crowd,
  ]) {
    for (const token of [undefined, body.token]) {
      const answer = await api.try(route, { body: { students: 1 } }, token);
      expect([answer.status, codeOf(answer)]).toEqual([404, 'lab_off']);
    }
  }
  expect((await api.try(publicApi.audit, {}, body.token)).status).toBe(200);
  await api[Symbol.asyncDispose]();
  await stop(running, at);
  const logs = join(at.data, 'logs');
  const texts = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
  expect(
    texts.some((text) => text.includes(password)),
    'the password in a log',
  ).toBe(false);

  const again = await start(at, ['--no-lab']);
  expect(again.output(), 'it is shown once').not.toMatch(/admin \/ \S+/);
  await stop(again, at);
});

test('the launcher is killed: the next start ends what is left, and no order is lost', async () => {
  const at = await newPlace('killed');
  const seed = newSeed('the killed launcher');
  const first = await start(at);
  const shop = visit(at.url);
  const students = await shop.students(50);
  const itemIds = [await shop.item(10_000), await shop.item(10_000)];
  const shoppers = startShoppers(shop, { students, itemIds, perS: 20, seed });
  await shoppers.more(30);
  const orphans = descendantsOf(first.pid);
  expect(orphans.length).toBeGreaterThan(7);
  process.kill(first.pid, 'SIGKILL');
  await first.ended();
  const killedMs = performance.now();
  const second = await start(at);
  await shoppers.more(5);
  report(
    `launcher killed, started again: selling after ${((performance.now() - killedMs) / 1000).toFixed(1)} s`,
  );
  await eventually('the orphans are gone', () => orphans.every((pid) => !isRunning(pid)));
  await shoppers.stop();
  const { wrong } = await judge(shop, shoppers);
  expect(wrong, `seed ${seed}`).toEqual([]);
  await shop.audit();
  const after = await place(shop, students[0]?.token ?? '', [
    { itemId: itemIds[0] ?? '', quantity: 1 },
  ]);
  expect(after.status).toBe(201);
  await shop.api[Symbol.asyncDispose]();
  await stop(second, at);
});
