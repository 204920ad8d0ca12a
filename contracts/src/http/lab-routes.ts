// Breaking things on purpose, and crowds for load tests. Only there while the lab is on.

import { z } from 'zod';
import { faultNames } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Route } from './route.ts';
import { ActiveFault, StudentId } from './shapes.ts';

export const labApi = {
  listFaults: {
    method: 'GET',
    path: '/api/v1/lab/faults',
    summary: 'The faults there are, and those that are on now.',
    who: ['admin'],
    owner: 'gateway',
    priority: 'lab',
    lab: true,
    replies: {
      200: z.strictObject({
        catalogue: z.array(
          z.strictObject({
            fault: z.enum(faultNames),
            summary: z.string(),
            targets: z.array(z.string()),
            durationSMax: z.int(),
          }),
        ),
        active: z.array(ActiveFault),
      }),
    },
    errors: [],
  },
  startFault: {
    method: 'POST',
    path: '/api/v1/lab/faults',
    summary: 'Break a part for a while.',
    who: ['admin'],
    owner: 'gateway',
    priority: 'lab',
    lab: true,
    body: z.strictObject({
      fault: z.string().max(50),
      target: z.string().max(50),
      parameters: z.strictObject({}).optional(),
      durationS: z.number().min(0).max(limits.faultDurationSMax),
    }),
    replies: { 201: ActiveFault },
    errors: ['unknown_fault'],
  },
  endFault: {
    method: 'DELETE',
    path: '/api/v1/lab/faults/:id',
    summary: 'Heal one fault now.',
    who: ['admin'],
    owner: 'gateway',
    priority: 'lab',
    lab: true,
    params: z.strictObject({ id: z.string().max(64) }),
    replies: { 204: null },
    errors: ['unknown_fault'],
  },
  clearFaults: {
    method: 'DELETE',
    path: '/api/v1/lab/faults',
    summary: 'Heal everything now.',
    who: ['admin'],
    owner: 'gateway',
    priority: 'lab',
    lab: true,
    replies: { 204: null },
    errors: [],
  },
  crowd: {
    method: 'POST',
    path: '/api/v1/lab/crowd',
    summary: 'Make n students with full wallets and fresh tokens, for load tests.',
    who: ['admin'],
    owner: 'gateway',
    priority: 'lab',
    lab: true,
    body: z.strictObject({ students: z.int().min(1).max(limits.crowdStudentsMax) }),
    replies: { 200: z.array(z.strictObject({ studentId: StudentId, token: z.string() })) },
    errors: ['outcome_unknown'],
  },
} as const satisfies Record<string, Route>;
