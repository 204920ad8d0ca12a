// Which code answers which public route: a few here, all others their owner.

import type { Client, Context, Handlers, HttpServer, hijacked } from '@rushlight/chassis';
import {
  ApiError,
  type Input,
  type ProcessName,
  type PublicRouteName,
  publicApi,
  type Route,
} from '@rushlight/contracts';
import type { RawAnswerOut } from './answers.ts';
import { forwardTo } from './forward.ts';
import type { Streams } from './streams.ts';

type AnyHandler = (
  input: Input<Route>,
  context: Context,
) => Promise<RawAnswerOut | typeof hijacked | object>;
type RoutesOf<Owner> = {
  [N in PublicRouteName as (typeof publicApi)[N] extends { owner: Owner } ? N : never]: unknown;
};
/** Routes that are answered by the gateway itself, and those it adds something to. */
export type OwnRouteName = keyof RoutesOf<'gateway'> | 'placeOrder' | 'menu';
export type OwnHandlers = { [N in OwnRouteName]: (input: never, context: Context) => unknown };

/**
 * A handler for every public route.
 *
 * @param own handlers of what the gateway answers itself
 * @param clients of the services that own the rest
 */
export function createRoutes(options: {
  own: OwnHandlers;
  clients: Partial<Record<ProcessName, Client>>;
  streams: Streams;
  trustProxy: boolean;
}): Handlers<typeof publicApi> {
  const { own, clients, streams, trustProxy } = options;
  const handlers = Object.entries<Route>(publicApi).map(([name, route]) => {
    if (name in own) return [name, own[name as OwnRouteName]];
    const client = clients[route.owner];
    if (!client) throw new Error(`There is no client of ${route.owner} for the route ${name}`);
    const handler: AnyHandler = route.stream
      ? streams.pipe(client, route)
      : forwardTo({ client, route, trustProxy });
    return [name, handler];
  });
  return Object.fromEntries(handlers) as Handlers<typeof publicApi>;
}

/** Adds all public routes; those of the lab say plainly that it is off where it is. */
export function serveApi(
  server: HttpServer,
  lab: boolean,
  handlers: Handlers<typeof publicApi>,
): void {
  server.handle(publicApi, handlers);
  if (lab) return;
  server.app.all('/api/v1/lab/*', () => {
    throw new ApiError('lab_off');
  });
}
