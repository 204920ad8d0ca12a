import { healingMs } from '../api/api.ts';
import { useObservable } from '../ui/hooks.ts';
import { streamState } from './live.ts';

const lookEveryMs = 5_000;

/** When to look by oneself: never while the stream tells, now and then while it is away. */
export function useFallback(): (query: { state: { error: unknown } }) => number | false {
  const interrupted = useObservable(streamState).kind === 'interrupted';
  return ({ state }) => (interrupted ? lookEveryMs : healingMs(state));
}
