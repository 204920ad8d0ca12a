import type { Environment } from './environment.ts';

export type Bell = {
  ring(): void;
  /** Forgets the rings so far. */
  silence(): void;
  /** Resolves at the next ring, or at once if it rang since the last silence, or after this time. */
  wait(durationMs: number): Promise<void>;
};

/** Wakes one loop from sleep, without ever losing a ring. */
export function createBell(env: Pick<Environment, 'after'>): Bell {
  let rang = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rang = true;
      wake?.();
    },
    silence: () => {
      rang = false;
    },
    wait: (durationMs) =>
      rang
        ? Promise.resolve()
        : new Promise((resolve) => {
            const done = (): void => {
              wake = undefined;
              cancel();
              resolve();
            };
            const cancel = env.after(durationMs, done);
            wake = done;
          }),
  };
}
