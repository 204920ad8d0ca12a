// The cache on a real Redis: what every cache promises, and what it does while Redis is killed,
// restarted, frozen, or swallowed by the network.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cache,
  createMemoryCache,
  createSteadyCache,
  openRedisCache,
  readShared,
  realEnvironment,
} from '@rushlight/chassis';
import {
  cacheConformance,
  freePort,
  startTcpProxy,
  type TcpProxy,
} from '@rushlight/chassis/testing';
import { type Servers, startServers } from '@rushlight/launcher';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { certifyLocalhost } from '../src/certificates.ts';
import { eventually } from '../src/eventually.ts';
import { missingPrograms, startProgram } from '../src/programs.ts';
import { expectGreen } from '../src/run-tests.ts';

const env = realEnvironment;
const missing = missingPrograms(['redis-server', 'openssl']);
/** The one of services. */
const commandMsMax = 250;
/** Far more than the time-out of a command and a turn of a busy machine; far less than for ever. */
const soonMs = 5_000;
let servers: Servers;
let prefixes = 0;

function urlOfRedis(): string {
  return servers.environment['RUSHLIGHT_CACHE_URL'] ?? '';
}

type Opened = { cache: Cache; states: string[] };

/** Patient, unless told otherwise: a machine that stands still for a moment loses nothing. */
async function open({
  url = urlOfRedis(),
  prefix = `test${++prefixes}:`,
  commandMsMax = 5_000,
} = {}): Promise<Opened> {
  const states: string[] = [];
  const onState = (up: boolean): void => void states.push(up ? 'up' : 'lost');
  const cache = await openRedisCache({ url, env, prefix, commandMsMax, onState });
  onTestFinished(() => cache.close());
  return { cache, states };
}

async function isLost(work: () => Promise<unknown>): Promise<boolean> {
  const startMs = performance.now();
  const lost = await work().then(
    () => false,
    (error: Error) => error.name === 'UnavailableError',
  );
  expect(performance.now() - startMs).toBeLessThan(soonMs);
  return lost;
}

async function backUp(cache: Cache): Promise<void> {
  await eventually('the cache is back', () => cache.ping().then(() => true), {
    deadlineMs: 60_000,
  });
}

describe.skipIf(missing.length > 0)(`the cache on Redis (missing: ${missing.join(', ')})`, () => {
  beforeAll(async () => {
    servers = await startServers({ only: ['redis'] });
  });
  afterAll(() => servers?.stop());

  cacheConformance('redis cache', async () => ({
    cache: (await open()).cache,
    pass: (durationMs) => env.sleep(durationMs),
  }));
  cacheConformance('redis cache with one behind it', async () => ({
    cache: createSteadyCache({ shared: (await open()).cache, own: createMemoryCache({ env }) }),
    pass: (durationMs) => env.sleep(durationMs),
  }));

  test('replicas of services count, read and forget together', async () => {
    const files = ['gateway', 'identity'].map(
      (name) => `services/${name}/test/shared-cache.test.ts`,
    );
    await expectGreen(files, { RUSHLIGHT_CACHE_URL: urlOfRedis() });
  }, 300_000);

  test('two that share it count together, and find what the other one kept', async () => {
    const prefix = `test${++prefixes}:`;
    const [one, other] = [await open({ prefix }), await open({ prefix })];
    const limit = { ratePerS: 0.01, burst: 300 };
    const takes = Array.from({ length: 400 }, (_, n) =>
      (n % 2 === 0 ? one : other).cache.take('a', limit),
    );
    const taken = await Promise.all(takes);
    expect(taken.filter((verdict) => verdict.allowed)).toHaveLength(300);
    await one.cache.set('a', 'text', 60_000);
    expect(await other.cache.get('a')).toBe('text');
    expect(one.states).toEqual(['up']);
  });

  test('a reading is made once for all, and is as old as it is', async () => {
    const prefix = `test${++prefixes}:`;
    const many = await Promise.all(
      Array.from({ length: 10 }, async () => (await open({ prefix })).cache),
    );
    let readings = 0;
    const readAll = () =>
      Promise.all(
        many.map((cache) =>
          readShared({
            ...{ cache, env, key: 'stock', times: { claimMs: 5_000, keepMs: 10_000 } },
            read: async () => {
              readings++;
              return [{ available: 3 }];
            },
          }),
        ),
      );
    const startMs = performance.now();
    for (const { value, beganMs } of [...(await readAll()), ...(await readAll())]) {
      expect(value).toEqual([{ available: 3 }]);
      // A millisecond: so finely Redis tells how old it is.
      expect(beganMs).toBeGreaterThanOrEqual(startMs - 1);
      expect(beganMs).toBeLessThanOrEqual(performance.now());
    }
    expect(readings).toBe(1);
  });

  test('a Redis that was restarted is empty, and has what it needs again', async () => {
    const { cache, states } = await open();
    await cache.take('a', { ratePerS: 0.01, burst: 1 });
    await servers.takeDown('redis');
    await servers.bringBack('redis');
    await backUp(cache);
    expect(await cache.take('a', { ratePerS: 0.01, burst: 1 })).toEqual({ allowed: true });
    expect(states).toEqual(['up', 'lost', 'up']);
  });

  test('a wrong password is a cache that is not there', async () => {
    const url = new URL(urlOfRedis());
    url.password = 'wrong';
    const { cache, states } = await open({ url: url.href });
    expect(await isLost(() => cache.ping())).toBe(true);
    expect(states).toEqual(['lost']);
  });

  test('with TLS it trusts the signer that its URL names, and no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { authority, key, certificate } = await certifyLocalhost(folder);
    const port = String(await freePort());
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key];
    const options = ['--port', '0', '--tls-port', port, ...files, '--tls-ca-cert-file', authority];
    await using _ = await startProgram(
      'redis-server',
      [...options, '--bind', '127.0.0.1', '--tls-auth-clients', 'no', '--save', ''],
      { cwd: folder },
    );
    const trusting = await open({ url: `rediss://localhost:${port}?ssl_ca_certs=${authority}` });
    await backUp(trusting.cache);
    await trusting.cache.set('a', '1', 60_000);
    expect(await trusting.cache.get('a')).toBe('1');
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}?ssl_ca_certs=${authority}`]) {
      const { cache, states } = await open({ url: `rediss://${host}` });
      expect(await isLost(() => cache.ping())).toBe(true);
      expect(states).toEqual(['lost']);
    }
  });

  describe('through a network', () => {
    let proxy: TcpProxy;
    let far: { url: string; commandMsMax?: number };
    beforeEach(async () => {
      proxy = await startTcpProxy(urlOfRedis());
      far = { url: proxy.through(urlOfRedis()), commandMsMax };
      return () => proxy[Symbol.asyncDispose]();
    });

    test.each(['silent', 'deaf', 'mute', 'refusing'] as const)(
      'that is %s nothing waits, and afterwards everything works',
      async (mode) => {
        const { cache, states } = await open(far);
        await cache.set('a', '1', 60_000);
        proxy.setMode(mode);
        const asked = Array.from({ length: 50 }, () => isLost(() => cache.get('a')));
        expect(await Promise.all(asked)).not.toContain(false);
        // No time-out each: while it is lost, a hundred questions are answered at once.
        for (let n = 0; n < 100; n++) expect(await isLost(() => cache.ping())).toBe(true);
        proxy.setMode('open');
        await backUp(cache);
        expect(await cache.get('a')).toBe('1');
        expect(states.slice(0, 3)).toEqual(['up', 'lost', 'up']);
      },
    );

    test('what comes late out of a bad network is not taken for young', async () => {
      const times = { claimMs: 300, keepMs: 60_000 };
      const prefix = `test${++prefixes}:`;
      const distant = await open({ ...far, prefix });
      const near = await open({ prefix });
      const claimed = await distant.cache.claim('stock', times);
      if (claimed.kind !== 'claimed') throw new Error(claimed.kind);
      proxy.setMode('deaf');
      expect(await isLost(() => distant.cache.fulfil('stock', claimed.claimId, 'old', times))).toBe(
        true,
      );
      await eventually('the claim is over', async () => {
        const next = await near.cache.claim('stock', times);
        return next.kind === 'claimed';
      });
      proxy.setMode('open');
      await backUp(distant.cache);
      expect(await near.cache.get('stock')).toBeUndefined();
    });

    test('a cache with one behind it goes on, and lets nobody through', async () => {
      const limit = { ratePerS: 0.01, burst: 3 };
      const shared = (await open({ ...far, commandMsMax: 2_000 })).cache;
      const done: string[] = [];
      const onDone = (where: string): void => void done.push(where);
      const cache = createSteadyCache({ shared, own: createMemoryCache({ env }), onDone });
      const take = async () => (await cache.take('a', limit)).allowed;
      const login = async () =>
        (await cache.tryWithin('a', { windowMs: 600_000, countMax: 3 })).allowed;
      expect([await take(), await take(), await login(), await login()]).not.toContain(false);
      proxy.setMode('silent');
      expect([await take(), await take(), await login(), await login()]).toEqual([
        ...[true, false],
        ...[true, false],
      ]);
      expect(done).toEqual([...Array(4).fill('shared'), ...Array(4).fill('own')]);
      await cache.set('b', 'kept here', 60_000);
      expect(await cache.get('b')).toBe('kept here');
      proxy.setMode('open');
      await backUp(cache);
      await cache.set('b', 'newer', 60_000);
      expect(await cache.get('b')).toBe('newer');
    });
  });

  test('a frozen Redis is lost after one time-out, and found when it goes on', async () => {
    const { cache, states } = await open({ commandMsMax });
    servers.signal('redis', 'SIGSTOP');
    const asked = Array.from({ length: 20 }, () => isLost(() => cache.take('a', limitOfOne)));
    expect(await Promise.all(asked)).not.toContain(false);
    expect(await isLost(() => cache.ping())).toBe(true);
    servers.signal('redis', 'SIGCONT');
    await backUp(cache);
    expect(states.slice(0, 3)).toEqual(['up', 'lost', 'up']);
  });

  test('a killed Redis is lost at once, and found when it is back', async () => {
    const { cache, states } = await open();
    await servers.takeDown('redis');
    for (let n = 0; n < 100; n++) expect(await isLost(() => cache.ping())).toBe(true);
    const late = await open();
    expect(await isLost(() => late.cache.ping())).toBe(true);
    await servers.bringBack('redis');
    await backUp(cache);
    await backUp(late.cache);
    expect([states, late.states]).toEqual([
      ['up', 'lost', 'up'],
      ['lost', 'up'],
    ]);
    await cache.close();
    expect(await isLost(() => cache.ping())).toBe(true);
  });
});

const limitOfOne = { ratePerS: 0.01, burst: 1 };
