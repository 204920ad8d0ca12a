// A deadline is set once, at the door, and travels with the work: every hop takes along what is left.
// Between processes it travels as milliseconds left, because their clocks need not agree.

import assert from 'node:assert/strict';
import type { Environment } from './environment.ts';
import { UnavailableError } from './store/store.ts';

export const deadlineHeaderName = 'rushlight-deadline-ms';

export type Deadline = Disposable & {
  /** Milliseconds that are left, never below 0. */
  remainingMs(): number;
  isPast(): boolean;
  /** Aborts with an UnavailableError when the deadline passes. Its timer starts when first read. */
  readonly signal: AbortSignal;
  /** The header that hands what is left to the next hop. */
  headers(): { [deadlineHeaderName]: string };
  /** A deadline for one step: the sooner of this one and `durationMs` from now. */
  within(durationMs: number): Deadline;
};

/** What a timer can count. */
const durationMsMax = 2 ** 31 - 1;

type DeadlineEnvironment = Pick<Environment, 'monotonicMs' | 'after'>;

/** A deadline that passes in this time. Dispose of it (`using`) when the work is done. */
export function deadlineIn(env: DeadlineEnvironment, durationMs: number): Deadline {
  assert(durationMs >= 0 && durationMs <= durationMsMax, `a deadline in ${durationMs} ms`);
  const endsMs = env.monotonicMs() + durationMs;
  const remainingMs = (): number => Math.max(0, endsMs - env.monotonicMs());
  let abort: AbortController | undefined;
  let cancel: (() => void) | undefined;

  const pass = (): void => {
    const message = `The deadline of ${Math.ceil(durationMs)} ms passed`;
    abort?.abort(new UnavailableError('deadline', message));
  };
  return {
    remainingMs,
    isPast: () => remainingMs() === 0,
    get signal() {
      if (!abort) {
        abort = new AbortController();
        if (remainingMs() === 0) pass();
        else cancel = env.after(Math.ceil(remainingMs()), pass);
      }
      return abort.signal;
    },
    headers: () => ({ [deadlineHeaderName]: String(Math.ceil(remainingMs())) }),
    within: (stepMs) => deadlineIn(env, Math.min(stepMs, remainingMs())),
    [Symbol.dispose]: () => cancel?.(),
  };
}

/**
 * The deadline that a caller sent, but never later than `durationMsMax` from now, which also holds
 * when it sent none, or something that is no deadline.
 *
 * @param header the value of the deadline header, as it came
 */
export function deadlineFrom(
  env: DeadlineEnvironment,
  header: string | readonly string[] | undefined,
  limits: { durationMsMax: number },
): Deadline {
  return deadlineIn(env, Math.min(limits.durationMsMax, parseDeadlineMs(header) ?? durationMsMax));
}

/** Milliseconds, or undefined for anything but one whole number of at most nine digits. */
export function parseDeadlineMs(
  header: string | readonly string[] | undefined,
): number | undefined {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
