// A handler for every route of the monitor.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import { figureHandlers } from './figures.ts';
import { logHandlers } from './logs.ts';
import { type ApiParts, telling } from './parts.ts';
import { serviceHandlers } from './services.ts';
import { silenceHandlers } from './silences.ts';
import { stateHandlers } from './state.ts';
import { traceHandlers } from './traces.ts';
import { anomalyHandlers, type Looking } from './unusual.ts';

export function monitorHandlers(parts: ApiParts, looking: Looking): Handlers<typeof monitorApi> {
  const handlers: Handlers<typeof monitorApi> = {
    ...stateHandlers(parts),
    ...figureHandlers(parts),
    ...logHandlers(parts),
    ...traceHandlers(parts),
    ...serviceHandlers(parts),
    ...anomalyHandlers(looking),
    ...silenceHandlers(parts),
  };
  const safe = Object.entries(handlers).map(([name, handle]) => [name, telling(handle as never)]);
  return Object.fromEntries(safe) as Handlers<typeof monitorApi>;
}
