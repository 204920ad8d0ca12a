// The gateway as a real process, between neighbours that a test controls.

import {
  createIssuer,
  startService,
  type TestClaims,
  type TestIssuer,
  type TestService,
} from '@rushlight/chassis/testing';
import type { ServiceName } from '@rushlight/contracts';
import { type Fake, startFake, stockItem } from './neighbours.ts';

type Neighbour = Exclude<ServiceName, 'gateway'>;
const neighbours: Neighbour[] = [
  'identity',
  'inventory',
  'payments',
  'kitchen',
  'notifications',
  'orders',
];

export type TestGateway = {
  gateway: TestService;
  fakes: Record<Neighbour, Fake>;
  issuer: TestIssuer;
  /** The headers of a user with this token. */
  as(claims?: TestClaims): Promise<{ authorization: string }>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
} & AsyncDisposable;

export async function startGateway(
  options: { lab?: boolean; env?: Record<string, string>; monitorUrl?: string } = {},
): Promise<TestGateway> {
  const started = await Promise.all(neighbours.map(async (name) => [name, await startFake()]));
  const fakes = Object.fromEntries(started) as Record<Neighbour, Fake>;
  const issuer = createIssuer();
  fakes.identity.on('GET /.well-known/jwks.json', () => ({ body: issuer.jwks }));
  fakes.identity.on('GET /internal/revocations', () => ({ body: { revocations: [] } }));
  fakes.inventory.on('GET /internal/stock', () => ({
    body: { items: [stockItem('soup', 1_000_000), stockItem('rice', 1_000_000)] },
  }));
  const serviceUrls = Object.fromEntries(neighbours.map((name) => [name, fakes[name].url]));
  const { monitorUrl, ...others } = options;
  const gateway = await startService('gateway', {
    serviceUrls: { ...serviceUrls, ...(monitorUrl === undefined ? {} : { monitor: monitorUrl }) },
    ...others,
  });
  const send: TestGateway['send'] = (method, path, body, headers = {}) =>
    fetch(`${gateway.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    gateway,
    fakes,
    issuer,
    as: async (claims) => ({ authorization: `Bearer ${await issuer.token(claims)}` }),
    get: (path, headers) => send('GET', path, undefined, headers),
    send,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await Promise.all(Object.values(fakes).map((fake) => fake[Symbol.asyncDispose]()));
    },
  };
}
