// The client of this page, and whether the platform can be reached at all.

import { QueryClient } from '@tanstack/react-query';
import { observable } from '../domain/observable.ts';
import { CallError } from './call-error.ts';
import { createClient } from './client.ts';
import { endSession, session } from './session.ts';

export const reachable = observable(true);

export const call = createClient({
  baseUrl: '',
  fetch: (input, init) => fetch(input, init),
  token: () => session.get()?.token,
  onAnswer: (answered) => (answered ? reachable.set(true) : startProbing()),
  onUnauthorized: (token) => endSession(token, 'Your session has ended. Please log in again.'),
});

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The page decides by its own probe whether we are there; `navigator.onLine` knows nothing
      // of a gateway on the same machine.
      networkMode: 'always',
      staleTime: 5_000,
      retry: (failures, error) => failures < 3 && error instanceof CallError && error.retryable,
      retryDelay: (failures, error) => retryDelayMs(failures, error),
      refetchInterval: ({ state }) => healingMs(state),
    },
    mutations: { networkMode: 'always' },
  },
});

/** A page that could not be read heals by itself: how often it is tried, in ms. */
export function healingMs({ error }: { error: unknown }): number | false {
  return error instanceof CallError && error.retryable ? 3_000 : false;
}

function retryDelayMs(failures: number, error: unknown): number {
  const said = error instanceof CallError ? error.retryAfterS : undefined;
  if (said !== undefined) return Math.min(10, said) * 1_000;
  return Math.min(4_000, 300 * 2 ** failures) * (0.5 + Math.random() / 2);
}

let probing = false;

/** Asks for a sign of life until there is one, then reads everything on the page again. */
function startProbing(): void {
  reachable.set(false);
  if (probing) return;
  probing = true;
  const probe = async (tries: number): Promise<void> => {
    const alive = await isAlive();
    if (!alive) {
      const delayMs = Math.min(5_000, 500 * 1.5 ** tries) * (0.5 + Math.random() / 2);
      setTimeout(() => void probe(tries + 1), delayMs);
      return;
    }
    probing = false;
    reachable.set(true);
    await queryClient.invalidateQueries();
  };
  setTimeout(() => void probe(0), 500);
}

async function isAlive(): Promise<boolean> {
  try {
    const reply = await fetch('/ping', { cache: 'no-store', signal: AbortSignal.timeout(3_000) });
    return reply.ok;
  } catch {
    return false;
  }
}
