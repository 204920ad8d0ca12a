// Breaking things on purpose, through the launcher, and crowds for load tests.

import { type Client, type Handlers, UnavailableError } from '@rushlight/chassis';
import {
  ApiError,
  faultNames,
  faults,
  identityApi,
  isFaultTarget,
  kindOfPart,
  type labApi,
  launcherApi,
  paymentsApi,
} from '@rushlight/contracts';
import { failureOfCall } from './answers.ts';

export type LabOptions = {
  identity: Client;
  payments: Client;
  /** Absent where something else runs the processes: then there is nothing to break them with. */
  launcher: Client | undefined;
};

const crowdBalanceCents = 100_000;
const crowdDeadlineMs = 7_000;

export function createLab({ identity, payments, launcher }: LabOptions): Handlers<typeof labApi> {
  return {
    listFaults: async () => {
      const parts = launcher && (await launcher.call(launcherApi.parts, {}));
      return {
        status: 200,
        body: {
          catalogue: parts ? catalogue(parts.body.parts.map(({ name }) => name)) : [],
          active: parts?.body.faults ?? [],
        },
      };
    },
    startFault: async ({ body: { fault, target, durationS } }) => {
      const isKnown = (faultNames as string[]).includes(fault);
      if (!launcher || !isKnown || !isFaultTarget(target))
        throw new ApiError('unknown_fault', { fault, target });
      const call = { body: { fault, target, durationS } };
      return await launcher.call(launcherApi.startFault, call).catch((error) => {
        throw told(error, 'launcher');
      });
    },
    endFault: async ({ params: { id } }) => {
      if (!launcher) throw new ApiError('unknown_fault', { fault: id, target: 'any part' });
      return await launcher.call(launcherApi.endFaults, { query: { id } });
    },
    clearFaults: async () => {
      if (launcher) await launcher.call(launcherApi.endFaults, { query: {} });
      return { status: 204, body: undefined };
    },
    crowd: async ({ body: { students } }) => {
      const options = { deadlineMs: crowdDeadlineMs };
      try {
        const made = await identity.call(identityApi.makeCrowd, { body: { students } }, options);
        const crowd = made.body.students;
        const body = {
          studentIds: crowd.map(({ studentId }) => studentId),
          balanceCents: crowdBalanceCents,
        };
        await payments.call(paymentsApi.fundWallets, { body }, options);
        return { status: 200, body: crowd };
      } catch (error) {
        throw told(error, error instanceof UnavailableError ? error.part : 'crowd');
      }
    },
  };
}

/** A definite answer stays; the absence of one is told for what it is. */
function told(error: unknown, part: string): unknown {
  return error instanceof UnavailableError ? failureOfCall(error, part, false) : error;
}

/** @param parts the parts that run; of several processes the service as a whole is a target, too */
function catalogue(parts: readonly string[]) {
  const targets = [...new Set(parts.flatMap((name) => [kindOfPart(name), name]))];
  return faultNames.map((fault) => ({
    fault,
    summary: faults[fault].summary,
    targets,
    durationSMax: faults[fault].limits.durationSMax,
  }));
}
