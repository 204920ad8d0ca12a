// How an answer is waited for and sent.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { UnavailableError } from '../store/store.ts';
import type { Patience } from './patience.ts';

export const handlerTimeoutMs = 15_000;

/** JSON text that is sent as it is. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a handler returns that writes to `context.reply.raw` itself. */
export const hijacked = Symbol('hijacked');

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
/** What a handler resolves with, whatever its route. */
type HandlerAnswer = Answer | typeof hijacked;

/** Sends the answer, or says that there was none when it takes too long: then the work goes on. */
export function answerInTime(
  work: Promise<HandlerAnswer>,
  request: FastifyRequest,
  reply: FastifyReply,
  startedMs: number,
  patience: Patience,
): void {
  const awaited = {
    startedMs,
    giveUp: () => {
      reply.send(new UnavailableError('handler', `No answer within ${handlerTimeoutMs} ms`));
    },
  };
  patience.begin(awaited);
  work.then(
    (answer) => {
      if (!patience.end(awaited)) return;
      try {
        finish(request, reply, answer);
      } catch (error) {
        reply.send(error);
      }
      endUnheard(request, reply);
    },
    (error) => {
      if (patience.end(awaited)) reply.send(error);
      endUnheard(request, reply);
    },
  );
}

/** Who asked is gone: no hook will run for this answer. */
function endUnheard({ span }: FastifyRequest, { raw }: FastifyReply): void {
  if (raw.destroyed) span?.end({ 'error.type': 'client_gone' });
}

function finish(request: FastifyRequest, reply: FastifyReply, answer: HandlerAnswer): void {
  if (answer === hijacked) {
    // A stream stays open for hours; it is in nobody's way once it has begun.
    request.leave?.();
    request.leave = undefined;
    request.span?.end({ 'http.response.status_code': reply.raw.statusCode });
    reply.hijack();
  } else sendAnswer(reply, answer);
}

function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.status(answer.status);
  if (answer.body !== undefined) reply.header('content-type', 'application/json; charset=utf-8');
  if (answer.headers) reply.headers(answer.headers);
  if (answer.body === undefined) return reply.send();
  const text = answer.body instanceof RawJson ? answer.body.text : JSON.stringify(answer.body);
  return reply.send(text);
}
