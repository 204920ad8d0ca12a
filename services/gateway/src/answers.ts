// How answers of other services become answers of ours, and how their absence is told.

import { BreakerOpenError, RawJson, UnavailableError, wasNeverSent } from '@rushlight/chassis';
import { ApiError, problem } from '@rushlight/contracts';

export const problemType = 'application/problem+json; charset=utf-8';

export type RawAnswerOut = {
  status: number;
  body?: RawJson;
  headers?: Record<string, string>;
};

/** A stored answer, or one that a service gave, as it is sent to the student: bytes and status. */
export function answerOf(answer: {
  status: number;
  text: string;
  retryAfter?: string | undefined;
}): RawAnswerOut {
  const { status, text, retryAfter } = answer;
  if (text === '') return { status };
  if (status < 400 && retryAfter === undefined) return { status, body: new RawJson(text) };
  const headers: Record<string, string> = {};
  if (status >= 400) headers['content-type'] = problemType;
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
  return { status, body: new RawJson(text), headers };
}

/** An error as an answer, for the paths that are too hot to throw it. */
export function answerOfError(code: 'sold_out', details: { itemId: string; left: number }) {
  return answerOf({ status: 422, text: JSON.stringify(problem(code, details)) });
}

/**
 * What a failed call tells the student: nothing was done (it was never sent, or the service said so),
 * or nobody knows.
 *
 * @param isRead the call could have had no effect anyway
 */
export function failureOfCall(error: unknown, part: string, isRead: boolean): ApiError {
  if (error instanceof ApiError && (error.code === 'busy' || error.code === 'unavailable')) {
    return error;
  }
  if (error instanceof BreakerOpenError) {
    const waitS = Math.max(1, Math.ceil(error.waitMs / 1000));
    return new ApiError('unavailable', { part, waitS }, { cause: error });
  }
  if (isRead || wasNeverSent(error)) {
    return new ApiError('unavailable', { part, waitS: 1 }, { cause: error });
  }
  return new ApiError('outcome_unknown', { waitS: 1 }, { cause: error });
}

/** A service that answers what its contract does not know is as good as silent. */
export function garbage(part: string, what: string): UnavailableError {
  return new UnavailableError(part, `${part} answered ${what}`);
}
