// What can go wrong with a call, as one type that pages can show and retries can judge.

import { errors, isErrorCode, type Problem } from '@rushlight/contracts';

export type CallErrorKind =
  /** The platform answered with a problem document. */
  | 'problem'
  /** Something answered that was not ours: a proxy, a half-started gateway. */
  | 'garbled'
  /** Nothing answered, or not in time: it may or may not have happened. */
  | 'unreachable';

export class CallError extends Error {
  override readonly name = 'CallError';
  readonly kind: CallErrorKind;
  readonly status: number;
  readonly problem: Problem | undefined;
  /** What the answer's Retry-After said; undefined where it said nothing. */
  readonly retryAfterS: number | undefined;

  constructor(
    kind: CallErrorKind,
    message: string,
    more: { status?: number; problem?: Problem; retryAfterS?: number | undefined } = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = more.status ?? 0;
    this.problem = more.problem;
    this.retryAfterS = more.retryAfterS;
  }

  get code(): string | undefined {
    return this.problem?.code;
  }

  /** Whether the same request may be sent again as it is. */
  get retryable(): boolean {
    if (this.kind === 'unreachable') return true;
    if (this.problem && isErrorCode(this.problem.code)) return errors[this.problem.code].retry;
    return this.status >= 500 || this.status === 429;
  }
}

/** The sentence to show for anything that was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof CallError) return error.message;
  return 'Something went wrong on this page. Load it again.';
}

export function unreachable(): CallError {
  return new CallError('unreachable', 'Rushlight is not answering. We keep trying.');
}

/** Reads a 4xx or 5xx answer. Never throws: what is no problem document becomes `garbled`. */
export async function readError(reply: Response): Promise<CallError> {
  const retryAfterS = readRetryAfter(reply.headers.get('retry-after'));
  const body: unknown = await reply.json().catch(() => undefined);
  if (isProblem(body)) {
    const said = { status: reply.status, problem: body, retryAfterS };
    return new CallError('problem', body.detail, said);
  }
  const message = `Rushlight gave an answer that we do not understand (${reply.status}).`;
  return new CallError('garbled', message, { status: reply.status, retryAfterS });
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const { code, detail } = body as Record<string, unknown>;
  return typeof code === 'string' && typeof detail === 'string';
}

function readRetryAfter(text: string | null): number | undefined {
  const seconds = Number(text ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 300) : undefined;
}
