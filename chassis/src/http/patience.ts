// How long handlers may take, watched by one timer for all of them. (A timer for each, and a promise
// around each handler to lose a race against it, would cost more than most handlers.)
//
// P1. All have the same time, so whoever began first is the first to be late.
// P2. What is waited for is given up at most once, and not before its time.

import type { Environment } from '../environment.ts';

export type Awaited = {
  readonly startedMs: number;
  /** Hears that its time is over. */
  giveUp(): void;
};

export type Patience = {
  begin(awaited: Awaited): void;
  /** False when it was given up before. */
  end(awaited: Awaited): boolean;
  /** Gives nobody up any more. */
  close(): void;
};

export function createPatience(
  env: Pick<Environment, 'monotonicMs' | 'after'>,
  durationMs: number,
): Patience {
  // In the order in which they began.
  const all = new Set<Awaited>();
  let cancel: (() => void) | undefined;

  const look = (): void => {
    cancel = undefined;
    const bornMs = env.monotonicMs() - durationMs;
    for (const awaited of all) {
      if (awaited.startedMs > bornMs) {
        cancel = env.after(Math.ceil(awaited.startedMs - bornMs), look);
        return;
      }
      all.delete(awaited);
      awaited.giveUp();
    }
  };
  return {
    begin: (awaited) => {
      all.add(awaited);
      cancel ??= env.after(durationMs, look);
    },
    end: (awaited) => all.delete(awaited),
    close: () => {
      cancel?.();
      all.clear();
    },
  };
}
