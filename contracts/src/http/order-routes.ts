// The menu, orders and their streams.

import { z } from 'zod';
import { limits } from '../limits.ts';
import { OrderLines, OrderView } from '../orders.ts';
import { type Route, roles } from './route.ts';
import { IdempotencyKey, MenuItem, OrderId, OrderParams, wholeNumber } from './shapes.ts';

export const orderApi = {
  menu: {
    method: 'GET',
    path: '/api/v1/menu',
    summary: 'What can be ordered, and how much of it is left.',
    who: 'anyone',
    owner: 'inventory',
    priority: 'read',
    query: z.strictObject({
      q: z.string().max(100).optional(),
      category: z.string().max(50).optional(),
    }),
    replies: { 200: z.array(MenuItem) },
    errors: [],
  },
  placeOrder: {
    method: 'POST',
    path: '/api/v1/orders',
    summary: 'Order meals. 201: the stock is yours; 202: queued, follow it on the stream.',
    who: ['student'],
    owner: 'orders',
    priority: 'checkout',
    headers: IdempotencyKey,
    body: z.strictObject({ lines: OrderLines }),
    replies: { 201: OrderView, 202: OrderView },
    errors: ['unknown_item', 'sold_out', 'key_reused', 'in_progress', 'outcome_unknown'],
  },
  listOrders: {
    method: 'GET',
    path: '/api/v1/orders',
    summary: 'Orders, newest first: your own; for kitchen and admin, of everybody.',
    who: roles,
    owner: 'orders',
    priority: 'read',
    query: z.strictObject({
      limit: wholeNumber(1, limits.pageMax, 20),
      cursor: OrderId.optional(),
    }),
    replies: {
      200: z.strictObject({ items: z.array(OrderView), nextCursor: z.string().optional() }),
    },
    errors: [],
  },
  getOrder: {
    method: 'GET',
    path: '/api/v1/orders/:orderId',
    summary: 'One order, with its place in the queue while it is there.',
    who: roles,
    owner: 'orders',
    priority: 'read',
    params: OrderParams,
    replies: { 200: OrderView },
    errors: ['order_not_found'],
  },
  cancelOrder: {
    method: 'DELETE',
    path: '/api/v1/orders/:orderId',
    summary: 'Cancel an order that the kitchen has not begun. What was paid comes back.',
    who: ['student', 'admin'],
    owner: 'orders',
    priority: 'checkout',
    params: OrderParams,
    replies: { 200: OrderView },
    errors: ['order_not_found', 'too_late', 'outcome_unknown'],
  },
  myEvents: {
    method: 'GET',
    path: '/api/v1/me/events',
    summary: 'Your orders and the menu, as they change (server-sent events).',
    who: ['student'],
    owner: 'notifications',
    priority: 'read',
    stream: true,
    replies: { 200: null },
    errors: [],
  },
  orderEvents: {
    method: 'GET',
    path: '/api/v1/orders/:orderId/events',
    summary: 'One order as it changes (server-sent events).',
    who: roles,
    owner: 'notifications',
    priority: 'read',
    stream: true,
    params: OrderParams,
    replies: { 200: null },
    errors: ['order_not_found'],
  },
  allEvents: {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'All orders and the menu as they change (server-sent events).',
    who: ['kitchen', 'admin'],
    owner: 'notifications',
    priority: 'read',
    stream: true,
    replies: { 200: null },
    errors: [],
  },
} as const satisfies Record<string, Route>;
