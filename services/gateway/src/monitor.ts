// The monitor's API under /api/monitor, for admins. The monitor may be away: then that is said, and
// nothing else is different here.

import type { Client, Handlers } from '@rushlight/chassis';
import { monitorApi, type monitorApiAtGateway, type Route } from '@rushlight/contracts';
import { forwardTo } from './forward.ts';
import type { Streams } from './streams.ts';

/** Longer than the monitor gives itself for a question: it says best why there is no answer. */
const deadlineMs = 14_000;

/** Handlers that forward each route to its counterpart on the monitor's own port. */
export function createMonitorRoutes(options: {
  client: Client;
  streams: Streams;
  trustProxy: boolean;
}): Handlers<typeof monitorApiAtGateway> {
  const { client, streams, trustProxy } = options;
  const handlers = Object.entries<Route>(monitorApi).map(([name, route]) => [
    name,
    route.stream
      ? streams.pipe(client, route)
      : forwardTo({
          client,
          route,
          trustProxy,
          deadlineMs,
          onlyReads: route === monitorApi.runSql,
        }),
  ]);
  return Object.fromEntries(handlers) as Handlers<typeof monitorApiAtGateway>;
}
