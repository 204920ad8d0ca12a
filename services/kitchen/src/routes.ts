// The HTTP side of the kitchen: the display with its buttons, and what our own services ask.

import type { Environment, Handlers } from '@rushlight/chassis';
import { ApiError, kitchenApi, publicApi, type Ticket as TicketView } from '@rushlight/contracts';
import { estimateReadyAtMs } from './stations.ts';
import type { KitchenStore, Placed, Pressed } from './store.ts';
import type { Action, Ticket } from './ticket.ts';

export const kitchenRoutes = {
  tickets: publicApi.tickets,
  ticketReady: publicApi.ticketReady,
  ticketCollected: publicApi.ticketCollected,
  ticketRefused: publicApi.ticketRefused,
  ...kitchenApi,
} as const;

export type RouteOptions = {
  store: KitchenStore;
  env: Pick<Environment, 'nowMs'>;
  stations: number;
  auto: boolean;
  meanCookMs: number;
  /** A station may have become free. */
  wake: () => void;
};

const waitingShownMax = 100;
const readyShownMax = 200;

export function kitchenHandlers(options: RouteOptions): Handlers<typeof kitchenRoutes> {
  const { store, env, stations, auto } = options;
  const press = async (orderId: string, action: Action, reason?: string) => {
    const ticket = ticketOrThrow(await store.press(orderId, action, env.nowMs(), reason), {
      orderId,
      action,
    });
    options.wake();
    return { status: 200 as const, body: ticketView({ ...ticket, queuePosition: undefined }) };
  };
  return {
    tickets: async () => {
      const { waiting, tickets } = await store.display(waitingShownMax, readyShownMax);
      return { status: 200, body: { stations, auto, waiting, tickets: tickets.map(ticketView) } };
    },
    ticketReady: ({ params }) => press(params.orderId, 'ready'),
    ticketCollected: ({ params }) => press(params.orderId, 'collected'),
    ticketRefused: ({ params, body }) => press(params.orderId, 'refuse', body.reason),
    voidTicket: async ({ body }) => {
      const pressed = await store.press(body.orderId, 'void', env.nowMs());
      const outcome = pressed.kind === 'done' ? 'voided' : 'started';
      return { status: 200, body: { outcome } };
    },
    estimates: async ({ body }) => {
      const [placed, cookingUntilMs] = await Promise.all([
        store.placed(body.orderIds),
        store.cookingUntilMs(),
      ]);
      const estimates = placed.map((ticket) => estimate(ticket, cookingUntilMs, options));
      return { status: 200, body: { estimates } };
    },
    auditTickets: async ({ query }) => {
      const { after, limit } = query;
      const tickets = await store.page(after, limit);
      const last = tickets.length === limit ? tickets.at(-1)?.orderId : undefined;
      return { status: 200, body: { tickets, ...(last === undefined ? {} : { next: last }) } };
    },
  };
}

function ticketOrThrow(pressed: Pressed, asked: { orderId: string; action: Action }): Ticket {
  switch (pressed.kind) {
    case 'done':
      return pressed.ticket;
    case 'unknown':
      throw new ApiError('unknown_ticket', { orderId: asked.orderId });
    case 'wrong_state':
      throw new ApiError('wrong_state', { ...asked, status: pressed.status });
  }
}

function estimate(ticket: Placed, cookingUntilMs: readonly number[], options: RouteOptions) {
  const { orderId, state, cookMs, queuePosition } = ticket;
  if (state.status === 'cooking') return { orderId, readyAtMs: state.readyAtMs };
  if (queuePosition === undefined) return { orderId };
  const { stations, meanCookMs, env } = options;
  const readyAtMs = estimateReadyAtMs({
    position: queuePosition,
    ...{ cookMs, meanCookMs, stations, cookingUntilMs },
    nowMs: env.nowMs(),
  });
  return { orderId, queuePosition, readyAtMs };
}

function ticketView(ticket: Placed): TicketView {
  const { orderId, pickupNumber, lines, arrivedAtMs, state, queuePosition } = ticket;
  return {
    ...{ orderId, pickupNumber, lines, status: state.status },
    ...(state.status === 'cooking' ? { station: state.station } : {}),
    ...(queuePosition === undefined ? {} : { queuePosition }),
    arrivedAt: new Date(arrivedAtMs).toISOString(),
    ...('readyAtMs' in state ? { readyAt: new Date(state.readyAtMs).toISOString() } : {}),
  };
}
