import type { StreamWorld } from './stream.ts';

/** Waits; rejects at once when the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** The browser's own clock, chance and network. */
export const browserWorld: StreamWorld = {
  fetch: (input, init) => fetch(input, init),
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep,
};
