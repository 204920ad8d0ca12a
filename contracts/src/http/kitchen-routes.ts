// The kitchen display's data and buttons.

import { z } from 'zod';
import type { Route } from './route.ts';
import { line, OrderParams, Ticket } from './shapes.ts';

export const kitchenDisplayApi = {
  tickets: {
    method: 'GET',
    path: '/api/v1/kitchen/tickets',
    summary: 'What waits, cooks and stands ready, first come first.',
    who: ['kitchen', 'admin'],
    owner: 'kitchen',
    priority: 'read',
    replies: {
      200: z.strictObject({
        stations: z.int(),
        auto: z.boolean(),
        waiting: z.int(),
        tickets: z.array(Ticket),
      }),
    },
    errors: [],
  },
  ticketReady: {
    method: 'POST',
    path: '/api/v1/kitchen/tickets/:orderId/ready',
    summary: 'The meal is cooked.',
    who: ['kitchen', 'admin'],
    owner: 'kitchen',
    priority: 'read',
    params: OrderParams,
    replies: { 200: Ticket },
    errors: ['unknown_ticket', 'wrong_state'],
  },
  ticketCollected: {
    method: 'POST',
    path: '/api/v1/kitchen/tickets/:orderId/collected',
    summary: 'The student has the meal.',
    who: ['kitchen', 'admin'],
    owner: 'kitchen',
    priority: 'read',
    params: OrderParams,
    replies: { 200: Ticket },
    errors: ['unknown_ticket', 'wrong_state'],
  },
  ticketRefused: {
    method: 'POST',
    path: '/api/v1/kitchen/tickets/:orderId/refuse',
    summary: 'The kitchen cannot make it: the order is cancelled and refunded.',
    who: ['kitchen', 'admin'],
    owner: 'kitchen',
    priority: 'read',
    params: OrderParams,
    body: z.strictObject({ reason: line(200) }),
    replies: { 200: Ticket },
    errors: ['unknown_ticket', 'wrong_state'],
  },
} as const satisfies Record<string, Route>;
