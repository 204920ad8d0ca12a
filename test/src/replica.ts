// A second process of a service, on the same databases and the same bus as the first.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ServiceName } from '@rushlight/contracts';
import { serviceCommand } from '@rushlight/launcher';
import { eventually } from './eventually.ts';
import type { Shop } from './platform.ts';

export type Replica = {
  readonly pid: number;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
};

/** Starts it as the launcher started the first, but for its port and its name. Linux only. */
export async function startReplica(shop: Shop, service: ServiceName): Promise<Replica> {
  const first = shop.platform.parts().find(({ name }) => name === service)?.pid;
  const pairs = readFileSync(`/proc/${first}/environ`, 'utf8').split('\0').filter(Boolean);
  const environment = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const child = spawn(process.execPath, serviceCommand(service), {
    cwd: environment['RUSHLIGHT_DATA'],
    env: { ...environment, NODE_CHANNEL_FD: undefined, ...asSecond(service) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let isReady = false;
  child.on('message', (message: { type?: string }) => {
    isReady ||= message.type === 'ready';
  });
  await eventually(`a second ${service} is ready`, () => isReady, { deadlineMs: 30_000 });
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await eventually(`the second ${service} ends`, () => hasEnded(child), { deadlineMs: 20_000 });
    },
  };
}

function asSecond(service: ServiceName): Record<string, string> {
  return { RUSHLIGHT_INSTANCE: `${service}-2`, RUSHLIGHT_LISTEN_PORT: '0' };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
