// The monitor as the process it is, with an identity beside it, and questions that hold its answers
// against the contract.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createIssuer,
  startService,
  type TestIssuer,
  type TestService,
} from '@rushlight/chassis/testing';
import { monitorApi, pathOf, type Reply } from '@rushlight/contracts';
import { expect } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from './store-under-test.ts';

export type RouteName = keyof typeof monitorApi;
export type AnyCall = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
};

export type RunningMonitor = {
  monitor: TestService;
  issuer: TestIssuer;
  /** The token of an admin. */
  admin: string;
  /** The answer, which must be what the contract says. */
  ask<N extends RouteName>(name: N, call?: AnyCall): Promise<Reply<(typeof monitorApi)[N]>['body']>;
  /** Status and code of an answer that is an error. */
  refusal(name: RouteName, call?: AnyCall, token?: string): Promise<string>;
} & AsyncDisposable;

/** The one that lasts, and may only read. */
export const readToken = 'a-token-that-lasts-and-reads-only';

/** @param fill what the store holds before the start, in this data folder */
export async function startMonitor(
  options: { fill?: (dataFolder: string) => Promise<void> } = {},
): Promise<RunningMonitor & { logs: string }> {
  const folder = temporaryFolder();
  await options.fill?.(folder.path);
  const issuer = createIssuer();
  const identity = await startIdentity(issuer);
  const logs = join(folder.path, 'logs');
  const monitor = await startService('monitor', {
    serviceUrls: { identity: identity.url },
    busUrl: '',
    env: {
      RUSHLIGHT_DATA: folder.path,
      RUSHLIGHT_MONITOR_OTLP_PORT: '0',
      RUSHLIGHT_MONITOR_SCRAPE_S: '1',
      RUSHLIGHT_MONITOR_TOKEN: readToken,
      RUSHLIGHT_MONITOR_LOG_FOLDER: logs,
    },
  }).catch((error: unknown) => {
    release(folder, identity);
    throw error;
  });
  const admin = await issuer.token({ sub: 'admin', role: 'admin' });
  const send = (name: RouteName, call: AnyCall = {}, token = admin): Promise<Response> =>
    sendTo(monitor.url, name, call, token);
  return {
    ...{ monitor, issuer, admin, logs },
    ask: async (name, call) => {
      const answer = await send(name, call);
      const text = await answer.text();
      const shapes = monitorApi[name].replies as Record<number, { parse(body: unknown): unknown }>;
      expect(`${answer.status} ${text.slice(0, 500)}`).toMatch(/^20/);
      if (answer.status === 204) return null as never;
      return shapes[answer.status]?.parse(JSON.parse(text)) as never;
    },
    refusal: async (name, call, token) => {
      const answer = await send(name, call, token);
      const body = (await answer.json()) as { code?: string };
      return `${answer.status} ${body.code}`;
    },
    [Symbol.asyncDispose]: async () => {
      await monitor[Symbol.asyncDispose]();
      release(folder, identity);
    },
  };
}

async function startIdentity(issuer: TestIssuer): Promise<{ url: string } & Disposable> {
  const server = createServer((request, reply) => {
    const body = request.url?.includes('jwks') ? issuer.jwks : { revocations: [] };
    reply.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function release(folder: TemporaryFolder, identity: Disposable): void {
  identity[Symbol.dispose]();
  folder[Symbol.dispose]();
}

async function sendTo(url: string, name: RouteName, call: AnyCall, token: string) {
  const route = monitorApi[name];
  const query = new URLSearchParams(call.query ?? {});
  const hasBody = call.body !== undefined;
  return await fetch(`${url}${pathOf(route, call.params)}?${query}`, {
    method: route.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(call.body) } : {}),
  });
}
