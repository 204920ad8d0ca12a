// Starts a service as the real process it is, with databases, bus and keys of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessName, processes, processNames } from '@rushlight/contracts';
import type { ServiceConfig } from '../config.ts';
import { realEnvironment } from '../environment.ts';
import { type CallOptions, type Client, createClient } from '../http/client.ts';
import { createServiceTokens } from '../http/service-token.ts';
import { createMetrics } from '../metrics.ts';
import { type FreshDatabase, freshDatabase } from './test-postgres.ts';
import { until } from './until.ts';

export type TestService = {
  name: ProcessName;
  url: string;
  busUrl: string;
  databaseUrl: string;
  dataFolder: string;
  /** What the process wrote so far. */
  output(): string;
  pid(): number;
  /** A client that speaks as this service, the gateway unless given. */
  as(caller?: ProcessName): Client;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same databases; its URL may be another. */
  start(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
} & AsyncDisposable;

export type TestServiceOptions = {
  /** URLs of neighbours, real or fake. */
  serviceUrls?: Partial<Record<ProcessName, string>>;
  lab?: boolean;
  /** The service's own settings. */
  env?: Record<string, string>;
  busUrl?: string;
};

const root = new URL('../../../', import.meta.url).pathname;
const startMsMax = 30_000;
/** A test whose matter is not time does not end because a machine stands still for two seconds. */
const callMsMax = 15_000;

/** A key pair for each service, for tests that sign as any of them. */
const keyPairs = new Map(
  processNames.map((kid) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const common = { kid, alg: 'EdDSA' };
    return [
      kid,
      {
        own: { ...privateKey.export({ format: 'jwk' }), ...common },
        open: { ...publicKey.export({ format: 'jwk' }), ...common },
      },
    ] as const;
  }),
);

function keysOf(service: ProcessName): Pick<ServiceConfig, 'serviceKey' | 'serviceKeys'> {
  const keys = [...keyPairs.values()].map((pair) => pair.open);
  return {
    serviceKey: keyPairs.get(service)?.own,
    serviceKeys: { keys },
  } as unknown as Pick<ServiceConfig, 'serviceKey' | 'serviceKeys'>;
}

/** A client that speaks to `url` as this service, with keys that every test service knows. */
export function clientAs(caller: ProcessName, target: string, url: string): Client {
  const env = realEnvironment;
  const tokens = createServiceTokens({ service: caller, ...keysOf(caller) }, env);
  const metrics = createMetrics({ service: caller, instance: 'test' });
  const client = createClient({ target, urls: [url], tokens, env, metrics });
  const patiently = (options?: CallOptions): CallOptions => ({ deadlineMs: callMsMax, ...options });
  return {
    ...client,
    call: (route, call, options) => client.call(route, call, patiently(options)),
    forward: (route, call, options) => client.forward(route, call, patiently(options)),
  };
}

/** Starts `services/<name>` and waits until it is ready. */
export async function startService(
  name: ProcessName,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const databases: FreshDatabase[] = [];
  const database = async (purpose: string): Promise<string> => {
    const made = await freshDatabase(`${name}_${purpose}`);
    databases.push(made);
    return made.url;
  };
  const databaseUrl = processes[name].database ? await database('main') : '';
  const busUrl = options.busUrl ?? (await database('bus'));
  const providerUrl = name === 'payments' ? await database('provider') : '';
  const dataFolder = await mkdtemp(join(tmpdir(), `rushlight-${name}-`));
  const { serviceKey, serviceKeys } = keysOf(name);
  const environment = {
    PATH: process.env['PATH'] ?? '',
    RUSHLIGHT_SERVICE: name,
    RUSHLIGHT_DATABASE_URL: databaseUrl,
    RUSHLIGHT_BUS_URL: busUrl,
    RUSHLIGHT_PROVIDER_DATABASE_URL: providerUrl,
    RUSHLIGHT_SERVICE_KEY: JSON.stringify(serviceKey),
    RUSHLIGHT_SERVICE_KEYS: JSON.stringify(serviceKeys),
    RUSHLIGHT_SERVICE_URLS: JSON.stringify(options.serviceUrls ?? {}),
    RUSHLIGHT_LAB: String(options.lab ?? true),
    RUSHLIGHT_DATA: dataFolder,
    ...options.env,
  };
  let running: Running | undefined;
  const clients: Client[] = [];
  const current = (): Running => {
    if (!running) throw new Error(`${name} is not running`);
    return running;
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const { child } = current();
    child.kill(signal);
    await until(() => hasEnded(child), { deadlineMs: 15_000, what: `${name} to end` });
    running = undefined;
    return child.exitCode;
  };
  const dispose = async (): Promise<void> => {
    if (running) await end('SIGKILL');
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(databases.map((made) => made[Symbol.asyncDispose]()));
    await rm(dataFolder, { recursive: true, force: true });
  };
  const start = async (): Promise<void> => {
    running = await startProcess(name, environment);
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ...{ name, busUrl, databaseUrl, dataFolder },
    get url() {
      return current().url;
    },
    output: () => current().output(),
    pid: () => current().child.pid ?? 0,
    as: (caller = 'gateway') => {
      const client = clientAs(caller, name, current().url);
      clients.push(client);
      return client;
    },
    kill: async () => void (await end('SIGKILL')),
    start,
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: dispose,
  };
}

type Running = { child: ChildProcess; url: string; output(): string };

async function startProcess(
  name: ProcessName,
  environment: Record<string, string>,
): Promise<Running> {
  const main = join(root, name === 'monitor' ? name : `services/${name}`, 'src', 'main.ts');
  const child = spawn(process.execPath, [main], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  let port: number | undefined;
  const keep = (chunk: Buffer): void => {
    output = (output + chunk).slice(-200_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('message', (message: { type?: string; port?: number }) => {
    if (message.type === 'ready') port = message.port;
  });
  await until(() => port !== undefined || hasEnded(child), {
    deadlineMs: startMsMax,
    what: `${name} to be ready`,
  }).catch((error) => {
    child.kill('SIGKILL');
    throw new Error(`${error.message}\n${output}`);
  });
  if (hasEnded(child)) throw new Error(`${name} ended while it started:\n${output}`);
  return { child, url: `http://127.0.0.1:${port}`, output: () => output };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
