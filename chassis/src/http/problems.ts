// Whatever goes wrong becomes one problem document, here.

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, problem } from '@rushlight/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log.ts';
import { UnavailableError } from '../store/store.ts';

const contentType = 'application/problem+json; charset=utf-8';

export function sendProblem(reply: FastifyReply, error: ApiError): FastifyReply {
  return sendText(reply, error, JSON.stringify(error.toProblem()));
}

function sendText(reply: FastifyReply, error: ApiError, text: string): FastifyReply {
  reply.status(error.status).header('content-type', contentType);
  const { retryAfterS } = error;
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  return reply.send(text);
}

const texts = new WeakMap<ApiError, string>();

/** As `sendProblem`, for an error that is thrown again and again: its text is written once. */
export function sendSharedProblem(reply: FastifyReply, error: ApiError): FastifyReply {
  const text = texts.get(error) ?? JSON.stringify(error.toProblem());
  texts.set(error, text);
  return sendText(reply, error, text);
}

/** Reads of a part that is down did nothing; for anything else the outcome is not known. */
export function unavailable(part: string, method: string, cause?: unknown): ApiError {
  return method === 'GET'
    ? new ApiError('unavailable', { part, waitS: 1 }, { cause })
    : new ApiError('outcome_unknown', { waitS: 1 }, { cause });
}

export function toApiError(error: unknown, request: FastifyRequest, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  const { method } = request;
  const route = request.routeOptions.url ?? 'other';
  if (error instanceof UnavailableError) {
    log.warn({ method, route, part: error.part, error }, 'a part did not answer');
    return unavailable(error.part, method, error);
  }
  const { code, statusCode, message } = error as { code?: string } & Partial<
    Record<'statusCode', number> & Record<'message', string>
  >;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const bytesMax = request.routeOptions.bodyLimit ?? 0;
    return new ApiError('body_too_large', { bytesMax });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new ApiError('unsupported_media_type');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError('bad_request', { why: message ?? 'it cannot be read' });
  }
  const instance = randomUUID();
  log.error({ method, route, instance, error }, 'a request failed by our mistake');
  return new ApiError('internal', { instance }, { cause: error });
}

/**
 * Answers what is not even HTTP, or whose head is too large or too slow. Who was told "too slow" can be
 * sure that nothing was done: not one byte more is read of the request.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  // A connection that was opened ahead and never used. Its first request may be on its way just now.
  const isUnused = isLate && socket.bytesRead === 0;
  const isGone = error.code === 'ECONNRESET' || socket.destroyed || !socket.writable;
  if (isGone || isUnused || isOwed(socket)) {
    socket.destroy();
    return;
  }
  const answer =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? problem('headers_too_large')
      : isLate
        ? problem('request_timeout')
        : problem('bad_request', { why: 'it is not HTTP' });
  const body = JSON.stringify(answer);
  socket.end(
    [
      `HTTP/1.1 ${answer.status} ${answer.title}`,
      `content-type: ${contentType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  if (isLate) socket.destroy();
}

/**
 * Whether a whole request before this nonsense still waits for its answer. What we would write now
 * would be taken for that answer; a closed connection says rightly that nobody knows.
 */
function isOwed(socket: Socket): boolean {
  const { _httpMessage: waiting } = socket as Socket & { _httpMessage?: ServerResponse };
  return waiting?.req.complete === true;
}
