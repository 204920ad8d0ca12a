// How an event of the stream changes what pages have read.

import type { MenuItem, OrderView, StreamEvent } from '@rushlight/contracts';
import type { InfiniteData } from '@tanstack/react-query';
import { queryClient } from '../api/api.ts';
import { menuQuery, orderPagesQuery, orderQuery, recentOrdersQuery } from '../api/queries.ts';
import { withMenuEvent } from '../domain/menu.ts';
import { isEnded, withEvent } from '../domain/order-status.ts';
import { rememberMenu, rememberOrder } from './seen.ts';
import { throttled } from './throttle.ts';

type OrderPages = InfiniteData<{ items: OrderView[]; nextCursor?: string | undefined }>;

const refetchMsMin = 500;

export function applyEvent(event: StreamEvent): void {
  switch (event.kind) {
    case 'order':
      applyOrder(event.data);
      return;
    case 'menu':
      applyMenu(event.data);
      return;
    case 'reset':
      refreshAll();
      return;
  }
}

/** Reads everything on the page anew. */
export const refreshAll = throttled(() => refresh([]), 200);

const refreshMenu = throttled(() => refresh(menuQuery.queryKey), refetchMsMin);
const refreshOrders = throttled(() => refresh(['orders']), refetchMsMin);
const refreshWallet = throttled(() => refresh(['wallet']), refetchMsMin);
/** The kitchen hears of every order of a rush; it looks again at most twice a second. */
const refreshTickets = throttled(() => refresh(['tickets']), refetchMsMin);

function refresh(queryKey: readonly unknown[]): void {
  void queryClient.invalidateQueries({ queryKey });
}

function applyOrder(event: Extract<StreamEvent, { kind: 'order' }>['data']): void {
  rememberOrder(event);
  const before = queryClient.getQueryData(orderQuery(event.orderId).queryKey);
  const update = (order: OrderView) => withEvent(order, event);
  queryClient.setQueryData(orderQuery(event.orderId).queryKey, (order) => order && update(order));
  queryClient.setQueryData(recentOrdersQuery.queryKey, (orders) => orders?.map(update));
  queryClient.setQueryData(
    orderPagesQuery.queryKey,
    (data: OrderPages | undefined) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({ ...page, items: page.items.map(update) })),
      },
  );
  // The place in the queue is not in the event: one look when the order has moved.
  if (before && !isEnded(event.status)) refresh(orderQuery(event.orderId).queryKey);
  const recent = queryClient.getQueryData(recentOrdersQuery.queryKey);
  if (recent && !recent.some(({ orderId }) => orderId === event.orderId)) refreshOrders();
  if (movesMoney(event.status)) refreshWallet();
  refreshTickets();
}

function movesMoney(status: OrderView['status']): boolean {
  return status === 'paid' || status === 'cancelled' || status === 'rejected';
}

function applyMenu(event: Extract<StreamEvent, { kind: 'menu' }>['data']): void {
  rememberMenu(event);
  queryClient.setQueryData(menuQuery.queryKey, (menu: MenuItem[] | undefined) => {
    if (!menu) return menu;
    const after = withMenuEvent(menu, event);
    if (after !== 'unknown') return after;
    refreshMenu();
    return menu;
  });
}

/** A hidden tab stays connected while a meal of its student is under way. */
export function keepsStreamOpen(): boolean {
  const recent = queryClient.getQueryData(recentOrdersQuery.queryKey) ?? [];
  return recent.some(({ status }) => !isEnded(status) && status !== 'ready');
}
