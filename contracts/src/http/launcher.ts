// How the gateway asks the launcher about processes. Only there where the launcher runs things.

import { z } from 'zod';
import type { Route } from './route.ts';
import { ActiveFault } from './shapes.ts';

export const launcherApi = {
  parts: {
    method: 'GET',
    path: '/parts',
    summary: 'Every process, by name.',
    who: 'service',
    owner: 'gateway',
    priority: 'read',
    replies: {
      200: z.object({
        parts: z.array(
          z.object({
            name: z.string(),
            running: z.boolean(),
            sinceMs: z.int(),
            pid: z.int().nullable(),
            memoryMb: z.number().nullable(),
            restarts: z.int(),
          }),
        ),
        faults: z.array(ActiveFault),
      }),
    },
    errors: [],
  },
  startFault: {
    method: 'POST',
    path: '/faults',
    summary: 'Break a process.',
    who: 'service',
    owner: 'gateway',
    priority: 'lab',
    body: z.object({ fault: z.string(), target: z.string(), durationS: z.number() }),
    replies: { 201: ActiveFault },
    errors: ['unknown_fault'],
  },
  endFaults: {
    method: 'DELETE',
    path: '/faults',
    summary: 'Heal one fault, or all without an id.',
    who: 'service',
    owner: 'gateway',
    priority: 'lab',
    query: z.object({ id: z.string().optional() }),
    replies: { 204: null },
    errors: ['unknown_fault'],
  },
} as const satisfies Record<string, Route>;
