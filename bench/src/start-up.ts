// `npm start` as a person runs it: how long until the first order is settled, and what memory the
// whole takes when nobody asks anything of it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { publicApi } from '@rushlight/contracts';
import { call, untilTaken } from './api.ts';
import { memoryMbBelow } from './memory.ts';

export type StartUp = {
  /** From the command to the 201 of an order placed as soon as there is somebody to take it. */
  firstOrderS: number;
  idleMemoryMb: number | null;
  /** The token and the answer of that order: samples of what goes over the wire. */
  token: string;
  reply: unknown;
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const startMsMax = 60_000;
const stopMsMax = 30_000;
const pollMs = 20;
const restMs = 5_000;
const login = { studentId: 'student1', password: 'password123' };

export async function measureStartUp(): Promise<StartUp> {
  const parent = mkdtempSync(join(tmpdir(), 'rushlight-bench-start-'));
  const port = await freePort();
  const options = ['--data', join(parent, 'data'), '--port', String(port)];
  const startedMs = performance.now();
  const child = spawn('npm', ['start', '--silent', '--', ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const endAtExit = (): void => endGroup(child, 'SIGTERM');
  process.once('exit', endAtExit);
  try {
    const { token, reply } = await firstOrder(`http://127.0.0.1:${port}`, child);
    const firstOrderS = (performance.now() - startedMs) / 1_000;
    await sleep(restMs);
    return { firstOrderS, idleMemoryMb: memoryMbBelow(child.pid ?? 0), token, reply };
  } finally {
    await stop(child);
    process.off('exit', endAtExit);
    rmSync(parent, { recursive: true, force: true });
  }
}

async function firstOrder(url: string, child: ChildProcess) {
  await untilReady(`${url}/ready`, child);
  const { token } = publicApi.login.replies[200].parse(
    await untilTaken(() => call(url, publicApi.login, { body: login })),
  );
  const [dish] = publicApi.menu.replies[200].parse(
    await untilTaken(() => call(url, publicApi.menu)),
  );
  if (dish === undefined) throw new Error('The menu of a fresh shop is empty.');
  const body = { lines: [{ itemId: dish.itemId, quantity: 1 }] };
  const headers = { 'idempotency-key': 'first' };
  const place = () => call(url, publicApi.placeOrder, { body, token, headers });
  return { token, reply: await untilTaken(place) };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + startMsMax;
  for (;;) {
    const isReady = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}.`);
    if (performance.now() > endMs) throw new Error(`npm start took more than ${startMsMax} ms.`);
    await sleep(pollMs);
  }
}

/** As Ctrl-C does in a terminal: everybody in the group hears it. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  const limit = setTimeout(() => endGroup(child, 'SIGKILL'), stopMsMax);
  endGroup(child, 'SIGINT');
  await gone;
  clearTimeout(limit);
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // They are gone already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
