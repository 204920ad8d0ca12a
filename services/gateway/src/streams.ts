// Server-sent events, piped from notifications to the client.
//
// S1. Backpressure holds from end to end; a stream has no time-out while heartbeats come.
// S2. When either side goes, the other is let go. The client comes back with Last-Event-ID.
// S3. An open stream takes no room from requests; streams have limits of their own.
// S4. While we drain, streams end first: clients come back to somebody who stays.

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type Client, type Context, hijacked } from '@rushlight/chassis';
import { ApiError, type Input, type Route } from '@rushlight/contracts';
import { answerOf, failureOfCall, garbage, type RawAnswerOut } from './answers.ts';
import { callOf } from './forward.ts';

const perUserMax = 20;
const errorBytesMax = 65_536;
const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

export type Streams = {
  /** A handler that pipes one route of this client. */
  pipe(
    client: Client,
    route: Route,
  ): (input: Input<Route>, context: Context) => Promise<typeof hijacked | RawAnswerOut>;
  /** Ends all that are open and opens no more. */
  close(): void;
  count(): number;
};

export function createStreams({ streamsMax }: { streamsMax: number }): Streams {
  const open = new Set<AbortController>();
  const perUser = new Map<string, number>();
  let closed = false;

  const enter = (studentId: string): AbortController => {
    const ofUser = perUser.get(studentId) ?? 0;
    if (closed || open.size >= streamsMax) throw new ApiError('busy', { waitS: 2 });
    if (ofUser >= perUserMax) throw new ApiError('rate_limited', { waitS: 10 });
    const abort = new AbortController();
    open.add(abort);
    perUser.set(studentId, ofUser + 1);
    return abort;
  };
  const leave = (studentId: string, abort: AbortController): void => {
    open.delete(abort);
    const ofUser = (perUser.get(studentId) ?? 1) - 1;
    if (ofUser > 0) perUser.set(studentId, ofUser);
    else perUser.delete(studentId);
  };

  return {
    count: () => open.size,
    close: () => {
      closed = true;
      for (const abort of open) abort.abort();
    },
    pipe: (client, route) => async (input, context) => {
      const studentId = context.principal?.kind === 'user' ? context.principal.studentId : '';
      const abort = enter(studentId);
      try {
        return await openOne(client, route, input, context, abort, () => leave(studentId, abort));
      } catch (error) {
        leave(studentId, abort);
        throw error;
      }
    },
  };
}

async function openOne(
  client: Client,
  route: Route,
  input: Input<Route>,
  context: Context,
  abort: AbortController,
  onEnd: () => void,
): Promise<typeof hijacked | RawAnswerOut> {
  const { raw } = context.reply;
  raw.once('close', () => abort.abort());
  const upstream = await connect(client, route, input, context, abort.signal);
  if (upstream.statusCode !== 200) {
    onEnd();
    return refusalOf(client.target, upstream);
  }
  // From here on the request is answered, however long the stream lives (S3).
  context.request.leave?.();
  context.reply.hijack();
  raw.writeHead(200, streamHeaders);
  raw.flushHeaders();
  void pump(upstream.body, raw, abort.signal).finally(onEnd);
  return hijacked;
}

/** Writes what comes, as fast as the client takes it (S1), until either side is gone (S2, S4). */
async function pump(
  from: AsyncIterable<Uint8Array>,
  to: Writable,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of from) {
      if (!to.write(chunk)) await once(to, 'drain', { signal });
    }
  } catch {
    // Gone, or told to end. Either way the client learns it from the end of its stream.
  } finally {
    if (!to.destroyed) to.end();
  }
}

async function connect(
  client: Client,
  route: Route,
  input: Input<Route>,
  context: Context,
  signal: AbortSignal,
) {
  const call = callOf(route, input, context, false);
  const lastEventId = context.request.headers['last-event-id'];
  if (typeof lastEventId === 'string' && /^[\x20-\x7e]{1,100}$/.test(lastEventId)) {
    call.headers['last-event-id'] = lastEventId;
  }
  const user = context.principal?.kind === 'user' ? context.principal : undefined;
  try {
    return await client.stream(route, call, { user, signal });
  } catch (error) {
    throw failureOfCall(error, client.target, true);
  }
}

/** An answer that is not a stream: an error of the service, passed on. */
async function refusalOf(
  part: string,
  upstream: Awaited<ReturnType<Client['stream']>>,
): Promise<RawAnswerOut> {
  let text = '';
  try {
    for await (const chunk of upstream.body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > errorBytesMax) break;
    }
    const { code } = JSON.parse(text) as { code?: unknown };
    if (upstream.statusCode < 400 || code === 'unauthorized') throw new Error(text);
  } catch (error) {
    throw failureOfCall(garbage(part, `${upstream.statusCode}: ${error}`), part, true);
  }
  const retryAfter = upstream.headers['retry-after'];
  return answerOf({
    status: upstream.statusCode,
    text,
    retryAfter: retryAfter === undefined ? undefined : String(retryAfter),
  });
}
