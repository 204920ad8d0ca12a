// Silences: who is not told of what, and until when.

import type { Handlers, Principal } from '@rushlight/chassis';
import { ApiError, type monitorApi } from '@rushlight/contracts';
import { type Silence, SilenceError } from '../alerting/silences.ts';
import type { ApiParts } from './parts.ts';
import { iso } from './times.ts';

type SilenceHandlers = Pick<Handlers<typeof monitorApi>, 'addSilence' | 'endSilence'>;

export function silenceHandlers({ alerting }: Pick<ApiParts, 'alerting'>): SilenceHandlers {
  return {
    addSilence: async ({ body }, { principal }) => {
      const { until, ...wanted } = body;
      try {
        const silence = alerting.silence({
          ...wanted,
          untilMs: Date.parse(until),
          createdBy: nameOf(principal),
        });
        return { status: 201, body: silenceOf(silence) };
      } catch (error) {
        if (!(error instanceof SilenceError)) throw error;
        throw new ApiError('bad_request', { why: `body: ${error.message}` });
      }
    },
    endSilence: async ({ params }) => {
      if (!alerting.endSilence(params.id)) throw new ApiError('silence_not_found', params);
      return { status: 204, body: undefined };
    },
  };
}

export function silenceOf({ untilMs, createdAtMs, ...rest }: Silence) {
  return { ...rest, until: iso(untilMs), createdAt: iso(createdAtMs) };
}

function nameOf(principal: Principal | undefined): string {
  if (principal === undefined) return 'unknown';
  return principal.kind === 'user' ? principal.studentId : principal.name;
}
