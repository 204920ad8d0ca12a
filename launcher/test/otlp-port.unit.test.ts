import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeOtlpPort } from '../src/otlp-port.ts';
import { findFreePort } from '../src/ports.ts';
import { temporaryFolder } from './support.ts';

const none: ReadonlySet<number> = new Set();
const freePort = () => findFreePort(none, '127.0.0.1');

test('the port that is wanted is taken, and can be taken again afterwards', async () => {
  using claims = temporaryFolder();
  const wanted = await freePort();
  for (let round = 0; round < 2; round += 1) {
    const taken = await takeOtlpPort(wanted, none, claims.path);
    expect(taken).toMatchObject({ port: wanted, warning: undefined });
    taken.release();
  }
});

test('of two that start at the same time one has it, and the other is told', async () => {
  using claims = temporaryFolder();
  const wanted = await freePort();
  // Nobody listens on it yet.
  const first = await takeOtlpPort(wanted, none, claims.path);
  const second = await takeOtlpPort(wanted, none, claims.path);
  expect(first.port).toBe(wanted);
  expect(second.port).not.toBe(wanted);
  expect(second.warning).toContain(`Port ${wanted} for OTLP is taken`);
  expect(second.warning).toContain(`http://127.0.0.1:${second.port}`);
  second.release();
  first.release();
  expect(existsSync(join(claims.path, `otlp-${wanted}`, 'lock'))).toBe(false);
});

test('a port on which somebody listens is left to them', async () => {
  using claims = temporaryFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const taken = await takeOtlpPort(port, none, claims.path);
  expect(taken.port).not.toBe(port);
  expect(taken.warning).toContain('is taken');
  server.close();
  await once(server, 'close');
  const now = await takeOtlpPort(port, none, claims.path);
  expect(now.port).toBe(port);
  now.release();
});

test('a claim whose owner is dead is none, and who cannot claim goes without', async () => {
  using claims = temporaryFolder();
  const wanted = await freePort();
  const script =
    `const { takeOtlpPort } = await import(${JSON.stringify(new URL('../src/otlp-port.ts', import.meta.url).href)});` +
    `await takeOtlpPort(${wanted}, new Set(), ${JSON.stringify(claims.path)}); process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await once(child, 'exit');
  expect(existsSync(join(claims.path, `otlp-${wanted}`, 'lock'))).toBe(true);
  const taken = await takeOtlpPort(wanted, none, claims.path);
  expect(taken.port).toBe(wanted);
  taken.release();
  const without = await takeOtlpPort(wanted, none, join(claims.path, 'no', 'such'));
  expect(without).toMatchObject({ port: wanted, warning: undefined });
});

test('any port will do when none is named, and one that is given away will not', async () => {
  const any = await takeOtlpPort(0, none);
  expect(any.port).toBeGreaterThan(0);
  expect(any.warning).toBeUndefined();
  const wanted = await freePort();
  const other = await takeOtlpPort(wanted, new Set([wanted]));
  expect(other.port).not.toBe(wanted);
  expect(other.warning).toContain('is taken');
});
