// The three streams, and who may open which.

import type { OutgoingHttpHeaders } from 'node:http';
import {
  type Context,
  type Environment,
  type Handlers,
  hijacked,
  userOf,
} from '@rushlight/chassis';
import { ApiError, orderApi } from '@rushlight/contracts';
import { sinkOf } from './sse-sink.ts';
import type { Audience, StreamStore } from './store.ts';
import type { Streams } from './streams.ts';

const { myEvents, orderEvents, allEvents } = orderApi;
export const routes = { myEvents, orderEvents, allEvents };

/** How long the stream of an order waits for the first event of one that was only just placed. */
const firstEventMsMax = 2_000;
const lookEveryMs = 100;

export function createHandlers(parts: {
  store: StreamStore;
  streams: Streams;
  env: Environment;
}): Handlers<typeof routes> {
  const { store, streams, env } = parts;

  const ownerOf = async (orderId: string): Promise<string | undefined> => {
    const endsMs = env.monotonicMs() + firstEventMsMax;
    for (;;) {
      const owner = await store.ownerOf(orderId);
      if (owner !== undefined || env.monotonicMs() >= endsMs) return owner;
      await env.sleep(lookEveryMs);
    }
  };
  return {
    myEvents: async (_, context) => {
      const { studentId } = userOf(context);
      return openStream(streams, context, { studentId }, true);
    },
    orderEvents: async ({ params: { orderId } }, context) => {
      const { role, studentId } = userOf(context);
      const owner = await ownerOf(orderId);
      if (owner === undefined || (role === 'student' && owner !== studentId)) {
        throw new ApiError('order_not_found', { orderId });
      }
      return openStream(streams, context, { orderId }, false);
    },
    allEvents: async (_, context) => openStream(streams, context, {}, true),
  };
}

function openStream(
  streams: Streams,
  context: Context,
  audience: Audience,
  menu: boolean,
): typeof hijacked {
  const { studentId, expiresAtS } = userOf(context);
  streams.admit(studentId);
  const { raw } = context.reply;
  const lastEventId = context.request.headers['last-event-id'];
  raw.writeHead(200, {
    ...(context.reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write('retry: 1000\n\n');
  const close = streams.open({
    audience,
    menu,
    owner: studentId,
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
    expiresAtMs: expiresAtS * 1_000,
    sink: sinkOf(raw),
  });
  raw.on('close', close);
  return hijacked;
}
