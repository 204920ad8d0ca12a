// Every error a caller can see: an RFC 9457 problem with a stable code, a status, whether the same
// request may be sent again as it is, and a sentence that gives the values and the next step.

export type ErrorSpec = {
  readonly http: number;
  readonly retry: boolean;
  readonly title: string;
  readonly say: string;
};

export const errors = {
  bad_request: {
    http: 400,
    retry: false,
    title: 'Bad request',
    say: 'The request breaks the contract: {why}. Correct it and send it again.',
  },
  unauthorized: {
    http: 401,
    retry: false,
    title: 'Not logged in',
    say: '{why}. Log in at POST /api/v1/login and send the token as "Authorization: Bearer …".',
  },
  wrong_credentials: {
    http: 401,
    retry: false,
    title: 'Wrong id or password',
    say: 'The id or the password is wrong. Check both and try again.',
  },
  forbidden: {
    http: 403,
    retry: false,
    title: 'Not allowed',
    say: 'This needs the role {needed}; you have {role}.',
  },
  route_not_found: {
    http: 404,
    retry: false,
    title: 'No such route',
    say: 'There is no {method} {path}. All routes are listed at /api/docs.',
  },
  order_not_found: {
    http: 404,
    retry: false,
    title: 'No such order',
    say: 'There is no order {orderId} that you may see.',
  },
  unknown_item: {
    http: 404,
    retry: false,
    title: 'No such item',
    say: 'There is no item {itemId} on the menu. See GET /api/v1/menu.',
  },
  unknown_user: {
    http: 404,
    retry: false,
    title: 'No such user',
    say: 'There is no user {studentId}.',
  },
  unknown_ticket: {
    http: 404,
    retry: false,
    title: 'No such ticket',
    say: 'There is no kitchen ticket for order {orderId}.',
  },
  unknown_letter: {
    http: 404,
    retry: false,
    title: 'No such dead letter',
    say: 'There is no dead letter {id}; it may have been replayed or dropped already.',
  },
  unknown_fault: {
    http: 404,
    retry: false,
    title: 'No such fault',
    say: 'There is no fault {fault} for target {target}. See GET /api/v1/lab/faults.',
  },
  silence_not_found: {
    http: 404,
    retry: false,
    title: 'No such silence',
    say: 'There is no silence {id}: it has ended, or never was.',
  },
  unknown_service: {
    http: 404,
    retry: false,
    title: 'No such service',
    say: 'There is no service {name} of your own that is watched. See GET /api/services.',
  },
  trace_not_found: {
    http: 404,
    retry: false,
    title: 'No such trace',
    say: 'There is no trace {traceId}: it was not sampled, is too old, or has not arrived yet.',
  },
  lab_off: {
    http: 404,
    retry: false,
    title: 'The lab is off',
    say: 'This needs the lab, which is turned off on this installation.',
  },
  method_not_allowed: {
    http: 405,
    retry: false,
    title: 'Method not allowed',
    say: '{path} does not take {method}; it takes {allowed}.',
  },
  request_timeout: {
    http: 408,
    retry: true,
    title: 'Too slow',
    say: 'The request did not arrive whole in time. Send it again.',
  },
  taken: {
    http: 409,
    retry: false,
    title: 'Already taken',
    say: 'The id {id} is taken. Choose another one.',
  },
  part_of_shop: {
    http: 409,
    retry: false,
    title: 'A part of the shop',
    say: 'The service {name} is a part of the shop, which is always watched.',
  },
  in_progress: {
    http: 409,
    retry: true,
    title: 'Still in progress',
    say: 'The first request with this key is still running. Ask again with the same key in {waitMs} ms.',
  },
  too_late: {
    http: 409,
    retry: false,
    title: 'Too late',
    say: 'Order {orderId} is {status} and can no longer be cancelled.',
  },
  wrong_state: {
    http: 409,
    retry: false,
    title: 'Not in this state',
    say: 'The ticket of order {orderId} is {status}; {action} is not possible from there.',
  },
  stale_version: {
    http: 409,
    retry: false,
    title: 'Changed by someone else',
    say: 'Item {itemId} is at version {current}, you sent {sent}. Read it again and repeat your change.',
  },
  stock_short: {
    http: 409,
    retry: false,
    title: 'Stock is promised',
    say: 'Item {itemId} has {available} free; taking {wanted} away is not possible.',
  },
  body_too_large: {
    http: 413,
    retry: false,
    title: 'Body too large',
    say: 'The body is larger than {bytesMax} bytes. Send less.',
  },
  unsupported_media_type: {
    http: 415,
    retry: false,
    title: 'Not JSON',
    say: 'The body must be JSON: send "Content-Type: application/json".',
  },
  sold_out: {
    http: 422,
    retry: false,
    title: 'Sold out',
    say: 'Only {left} of {itemId} left; order fewer or something else.',
  },
  key_reused: {
    http: 422,
    retry: false,
    title: 'Key used for another order',
    say: 'This Idempotency-Key belongs to an order with another body. Use a new key for a new order.',
  },
  query_refused: {
    http: 422,
    retry: false,
    title: 'Query refused',
    say: 'The query is not answered: {why}.',
  },
  too_much: {
    http: 422,
    retry: false,
    title: 'Too much to read',
    say: 'The answer would need more than one question may read: {why}. Ask for less time or fewer series.',
  },
  address_refused: {
    http: 422,
    retry: false,
    title: 'Address refused',
    say: 'The address {address} is not watched: {why}.',
  },
  watching_enough: {
    http: 422,
    retry: false,
    title: 'Watching enough',
    say: 'There are {count} services of your own already, and no more are watched.',
  },
  weak_password: {
    http: 422,
    retry: false,
    title: 'Weak password',
    say: 'The password is too weak: {why}.',
  },
  rate_limited: {
    http: 429,
    retry: true,
    title: 'Too many requests',
    say: 'Too many requests; try again in {waitS} s.',
  },
  headers_too_large: {
    http: 431,
    retry: false,
    title: 'Headers too large',
    say: 'The request headers are too large. Send less.',
  },
  internal: {
    http: 500,
    retry: false,
    title: 'Our mistake',
    say: 'Something went wrong on our side. Tell us the instance {instance}.',
  },
  busy: {
    http: 503,
    retry: true,
    title: 'Busy',
    say: 'Too much is waiting, or a part does not answer; nothing was done. Try again in {waitS} s.',
  },
  unavailable: {
    http: 503,
    retry: true,
    title: 'A part is down',
    say: 'A part of the shop ({part}) is not answering; nothing was done. Try again in {waitS} s.',
  },
  outcome_unknown: {
    http: 503,
    retry: true,
    title: 'Outcome unknown',
    say: 'The answer was lost on the way, it may or may not have happened. Send the same request again (with the same key, if it has one) in {waitS} s.',
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof errors;

export type ErrorDetails = Record<string, string | number | readonly unknown[]>;

/** The RFC 9457 body of every 4xx and 5xx. `code` is stable; `detail` is for people. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  [extension: string]: unknown;
};

/** An answer that is not the wished one, thrown. Anything else that is thrown means "unknown". */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(sentence(code, details), options);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errors[this.code].http;
  }

  /** Seconds to wait before the next try (for Retry-After), or undefined where waiting is no use. */
  get retryAfterS(): number | undefined {
    if (!errors[this.code].retry) return undefined;
    const { waitS, waitMs } = this.details;
    if (typeof waitS === 'number') return Math.max(1, Math.ceil(waitS));
    if (typeof waitMs === 'number') return Math.max(1, Math.ceil(waitMs / 1000));
    return 1;
  }

  toProblem(): Problem {
    return problem(this.code, this.details);
  }
}

/** Fills the error's sentence with values; a value that is missing shows as "?". */
export function sentence(code: ErrorCode, details: ErrorDetails): string {
  return errors[code].say.replace(/\{(\w+)\}/g, (_, key: string) => String(details[key] ?? '?'));
}

/** The problem document of an error. Scalar details travel along as extension members. */
export function problem(code: ErrorCode, details: ErrorDetails = {}): Problem {
  const { http, title } = errors[code];
  return {
    ...details,
    type: `/api/docs/errors#${code}`,
    title,
    status: http,
    code,
    detail: sentence(code, details),
  };
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errors, code);
}
