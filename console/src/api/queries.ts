// Everything that pages read, each with its key: one place to know what is cached and for how long.

import { type OrderView, publicApi } from '@rushlight/contracts';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { readMenu, withSeen } from '../live/seen.ts';
import { call } from './api.ts';

/** Admin pages look again this often; the browser stops that while the tab is hidden. */
const adminEveryMs = 2_000;

export const menuQuery = queryOptions({
  queryKey: ['menu'],
  queryFn: ({ signal }) =>
    readMenu(async () => (await call(publicApi.menu, { query: {} }, { signal })).body),
});

export const orderQuery = (orderId: string) =>
  queryOptions({
    queryKey: ['order', orderId],
    queryFn: async ({ signal }) =>
      withSeen((await call(publicApi.getOrder, { params: { orderId } }, { signal })).body),
  });

/** The newest orders, for the strip of those that are under way. */
export const recentOrdersQuery = queryOptions({
  queryKey: ['orders', 'recent'],
  queryFn: async ({ signal }): Promise<OrderView[]> => {
    const { body } = await call(publicApi.listOrders, { query: { limit: '10' } }, { signal });
    return body.items.map(withSeen);
  },
});

export const orderPagesQuery = infiniteQueryOptions({
  queryKey: ['orders', 'pages'],
  initialPageParam: undefined as string | undefined,
  queryFn: async ({ pageParam, signal }) => {
    const query = { limit: '20', ...(pageParam === undefined ? {} : { cursor: pageParam }) };
    const { body } = await call(publicApi.listOrders, { query }, { signal });
    return { ...body, items: body.items.map(withSeen) };
  },
  getNextPageParam: ({ nextCursor }) => nextCursor,
});

export const walletQuery = queryOptions({
  queryKey: ['wallet'],
  queryFn: async ({ signal }) => (await call(publicApi.wallet, {}, { signal })).body,
});

export const ticketsQuery = queryOptions({
  queryKey: ['tickets'],
  queryFn: async ({ signal }) => (await call(publicApi.tickets, {}, { signal })).body,
});

export const servicesQuery = queryOptions({
  queryKey: ['admin', 'services'],
  queryFn: async ({ signal }) => (await call(publicApi.listServices, {}, { signal })).body,
  refetchInterval: 1_000,
});

export const latencyQuery = queryOptions({
  queryKey: ['admin', 'latency'],
  queryFn: async ({ signal }) => (await call(publicApi.latency, {}, { signal })).body,
  refetchInterval: 1_000,
});

export const throughputQuery = queryOptions({
  queryKey: ['admin', 'throughput'],
  queryFn: async ({ signal }) => (await call(publicApi.throughput, {}, { signal })).body,
  refetchInterval: 1_000,
});

/** `undefined` while the lab is off: then there is nothing to break here. */
export const faultsQuery = queryOptions({
  queryKey: ['admin', 'faults'],
  queryFn: async ({ signal }) => (await call(publicApi.listFaults, {}, { signal })).body,
  refetchInterval: ({ state }) => (state.status === 'error' ? false : adminEveryMs),
});

export const itemsQuery = queryOptions({
  queryKey: ['admin', 'items'],
  queryFn: async ({ signal }) => (await call(publicApi.listItems, {}, { signal })).body,
  refetchInterval: adminEveryMs,
});

export const usersQuery = (cursor: string | undefined) =>
  queryOptions({
    queryKey: ['admin', 'users', cursor ?? ''],
    queryFn: async ({ signal }) => {
      const query = { limit: '50', ...(cursor === undefined ? {} : { cursor }) };
      return (await call(publicApi.listUsers, { query }, { signal })).body;
    },
    placeholderData: keepPreviousData,
  });

export const deadLettersQuery = queryOptions({
  queryKey: ['admin', 'dead-letters'],
  queryFn: async ({ signal }) => (await call(publicApi.listDeadLetters, {}, { signal })).body,
  refetchInterval: adminEveryMs,
});

export const auditQuery = queryOptions({
  queryKey: ['admin', 'audit'],
  queryFn: async ({ signal }) =>
    (await call(publicApi.audit, {}, { signal, timeoutMs: 30_000 })).body,
  refetchInterval: adminEveryMs,
});
