// A circuit breaker: while a neighbour is down, nobody waits for it and nobody presses it.
//
// K1. Closed → open when at least half of 20 or more calls within 10 s failed, or 5 in a row.
// K2. Open → half-open by the first call after the wait; that call is the probe. Half-open means
//     that the probe runs, so there is never a second one.
// K3. The probe closes the breaker or opens it again, for longer (1 s at most). No other result
//     counts meanwhile: calls that began in an earlier state say nothing about this one.
// K4. Only what the caller classes as "unknown" is a failure. An answer, also an unwelcome one, shows
//     that the neighbour works. A call that was given up on our side shows nothing; if it was the
//     probe, the next call is the probe.

import type { Environment } from './environment.ts';
import { UnavailableError } from './store/store.ts';

export type BreakerState =
  | { status: 'closed'; failuresInRow: number; window: readonly WindowPart[] }
  | { status: 'open'; untilMs: number; openings: number }
  | { status: 'half-open'; openings: number };
export type BreakerStatus = BreakerState['status'];

/** The calls that ended in one part of the rolling window. */
export type WindowPart = { part: number; calls: number; failures: number };

export type BreakerEvent =
  | { type: 'asked'; nowMs: number }
  | { type: 'succeeded'; nowMs: number }
  | { type: 'given-up'; nowMs: number }
  /** `random` in [0, 1) spreads the moments at which many breakers probe. */
  | { type: 'failed'; nowMs: number; random: number };

export type BreakerRules = {
  failuresInRowMax: number;
  windowMs: number;
  callsMin: number;
  failureRatioMax: number;
  openMsMin: number;
  openMsMax: number;
};

// A probe a second presses nobody, and who was killed sells again a moment after it is back.
export const breakerRules: BreakerRules = {
  failuresInRowMax: 5,
  windowMs: 10_000,
  callsMin: 20,
  failureRatioMax: 0.5,
  openMsMin: 250,
  openMsMax: 1_000,
};

export const closedBreaker: BreakerState = { status: 'closed', failuresInRow: 0, window: [] };

const windowParts = 10;

/** What becomes of a state. Events that do not concern it leave it as it is (the same object). */
export function advanceBreaker(
  state: BreakerState,
  event: BreakerEvent,
  rules: BreakerRules = breakerRules,
): BreakerState {
  switch (state.status) {
    case 'closed':
      if (event.type === 'asked' || event.type === 'given-up') return state;
      return afterCall(state, event, rules);
    case 'open':
      if (event.type !== 'asked' || event.nowMs < state.untilMs) return state;
      return { status: 'half-open', openings: state.openings };
    case 'half-open':
      if (event.type === 'asked') return state;
      if (event.type === 'succeeded') return closedBreaker;
      if (event.type === 'given-up') {
        return { status: 'open', untilMs: event.nowMs, openings: state.openings };
      }
      return opened(state.openings + 1, event, rules);
  }
}

function afterCall(
  state: BreakerState & { status: 'closed' },
  event: BreakerEvent & { type: 'succeeded' | 'failed' },
  rules: BreakerRules,
): BreakerState {
  const failed = event.type === 'failed';
  const part = Math.floor((event.nowMs / rules.windowMs) * windowParts);
  const kept = state.window.filter((old) => old.part > part - windowParts && old.part < part);
  const last = state.window.at(-1);
  const before = last?.part === part ? last : { calls: 0, failures: 0 };
  const { calls, failures } = before;
  const window = [...kept, { part, calls: calls + 1, failures: failures + (failed ? 1 : 0) }];
  const failuresInRow = failed ? state.failuresInRow + 1 : 0;
  const isBroken = failuresInRow >= rules.failuresInRowMax || isMostlyFailing(window, rules);
  if (failed && isBroken) return opened(1, event, rules);
  return { status: 'closed', failuresInRow, window };
}

function isMostlyFailing(window: readonly WindowPart[], rules: BreakerRules): boolean {
  const calls = window.reduce((sum, part) => sum + part.calls, 0);
  const failures = window.reduce((sum, part) => sum + part.failures, 0);
  return calls >= rules.callsMin && failures >= calls * rules.failureRatioMax;
}

/** Half to the whole of a wait that doubles with each opening. */
function opened(
  openings: number,
  event: { nowMs: number; random: number },
  rules: BreakerRules,
): BreakerState {
  const ceilingMs = Math.min(rules.openMsMax, rules.openMsMin * 2 ** (openings - 1));
  const waitMs = ceilingMs * (0.5 + event.random / 2);
  return { status: 'open', untilMs: event.nowMs + waitMs, openings };
}

/** Nothing was sent: the neighbour did not answer lately. */
export class BreakerOpenError extends UnavailableError {
  override readonly name = 'BreakerOpenError';
  /** Milliseconds until the next probe; 0 while one runs. */
  readonly waitMs: number;

  constructor(target: string, waitMs: number) {
    super(target, `${target} did not answer lately; not asked for another ${Math.ceil(waitMs)} ms`);
    this.waitMs = waitMs;
  }
}

export type Judgement = 'trouble' | 'works' | 'nothing';

export type BreakerOptions = {
  target: string;
  env: Pick<Environment, 'monotonicMs' | 'random'>;
  /**
   * What an error says of the neighbour: in trouble, working, or nothing (the call was given up by
   * our side before the neighbour had its time). Unless given, an UnavailableError means trouble.
   */
  judge?: (error: unknown) => Judgement;
  /** Hears the first status, and each one that follows. */
  onState?: (status: BreakerStatus) => void;
  rules?: BreakerRules;
};

export class Breaker {
  readonly #options: BreakerOptions;
  readonly #rules: BreakerRules;
  readonly #judge: (error: unknown) => Judgement;
  #state: BreakerState = closedBreaker;
  /** Counts changes of status, to know results that began before the last one. */
  #era = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#rules = options.rules ?? breakerRules;
    this.#judge =
      options.judge ?? ((error) => (error instanceof UnavailableError ? 'trouble' : 'works'));
    options.onState?.(this.#state.status);
  }

  get status(): BreakerStatus {
    return this.#state.status;
  }

  /** The same for people: half open as soon as the next call would be let through. */
  get outlook(): BreakerStatus {
    const state = this.#state;
    if (state.status !== 'open') return state.status;
    return this.#options.env.monotonicMs() < state.untilMs ? 'open' : 'half-open';
  }

  /**
   * Runs `call`, which must settle in bounded time, and learns from how it ends.
   *
   * @throws BreakerOpenError without running it while the breaker is open, else what `call` throws
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const { target, env } = this.#options;
    const before = this.#state.status;
    this.#advance({ type: 'asked', nowMs: env.monotonicMs() });
    const state = this.#state;
    const isProbe = before === 'open' && state.status === 'half-open';
    if (state.status !== 'closed' && !isProbe) {
      const waitMs = state.status === 'open' ? state.untilMs - env.monotonicMs() : 0;
      throw new BreakerOpenError(target, Math.max(0, waitMs));
    }
    const era = this.#era;
    try {
      const result = await call();
      if (era === this.#era) this.#advance({ type: 'succeeded', nowMs: env.monotonicMs() });
      return result;
    } catch (error) {
      if (era === this.#era) this.#advance(this.#verdict(error));
      throw error;
    }
  }

  #verdict(error: unknown): BreakerEvent {
    const { env } = this.#options;
    const nowMs = env.monotonicMs();
    switch (this.#judge(error)) {
      case 'trouble':
        return { type: 'failed', nowMs, random: env.random() };
      case 'works':
        return { type: 'succeeded', nowMs };
      case 'nothing':
        return { type: 'given-up', nowMs };
    }
  }

  #advance(event: BreakerEvent): void {
    const before = this.#state.status;
    this.#state = advanceBreaker(this.#state, event, this.#rules);
    if (this.#state.status === before) return;
    this.#era++;
    this.#options.onState?.(this.#state.status);
  }
}

export function createBreaker(options: BreakerOptions): Breaker {
  return new Breaker(options);
}
