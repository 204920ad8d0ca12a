// A Postgres as a part, of the embedded programs or others: a direct child, so that its death is seen at once.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ping } from '@rushlight/setup';
import { readIfThere } from '../files.ts';
import type { RotatedLog } from '../logs.ts';
import { Part, type PartEvent, restartPolicy } from '../part.ts';
import {
  commandOf,
  type EndStep,
  endProcess,
  identityOf,
  processesIn,
  signal,
} from '../processes.ts';
import type { Secrets } from '../secrets.ts';
import { majorVersionOf } from './binaries.ts';
import { clusterIn, postgresEnvironment } from './cluster.ts';
import { superuserUrl } from './databases.ts';
import type { Place } from './place.ts';
import { postgresSettings } from './settings.ts';

/** SIGINT: a fast shutdown, open transactions are rolled back. SIGQUIT: at once, recovery later. */
export const postgresStopSteps: readonly EndStep[] = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

const readyPollMs = 25;
/** SQLSTATE of a password that does not fit: the secrets are not those of this cluster. */
const wrongPassword = '28P01';

// After a kill the new server may find backends of the old one for a moment and give up; it must
// not then wait long, because everything else waits for it.
const policy = { ...restartPolicy, delayMsMax: 500, deathsMax: 8, readyMsMax: 300_000 };

export type PostgresOptions = {
  place: Place;
  port: number;
  secrets: Secrets;
  log: RotatedLog;
  onEvent(event: PartEvent): void;
};

/** The part, not yet started. */
export function postgresPart({ place, port, secrets, log, onEvent }: PostgresOptions): Part {
  const cluster = clusterIn(place);
  const url = superuserUrl(port, secrets);
  return new Part({
    name: 'postgres',
    policy,
    stopSteps: postgresStopSteps,
    spawn: () => {
      for (const pid of processesIn(cluster)) signal(pid, 'SIGKILL');
      return spawnServer(place, cluster, port, log);
    },
    ready: async (_child, gone) => {
      for (;;) {
        gone.throwIfAborted();
        const why = await ping(url).then(
          () => undefined,
          (error: NodeJS.ErrnoException) => error,
        );
        if (why === undefined) return;
        if (why.code === wrongPassword) throw why; // Waiting does not mend that.
        await sleep(readyPollMs);
      }
    },
    onEvent,
  });
}

function spawnServer(place: Place, cluster: string, port: number, log: RotatedLog): ChildProcess {
  const settings = { ...postgresSettings(majorVersionOf(place.native)), port: String(port) };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(place.native, 'bin', 'postgres'), ['-D', cluster, ...options], {
    cwd: place.home,
    env: postgresEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is for us alone, and we stop things in order.
    detached: true,
    ...place.user,
  });
  for (const stream of [child.stdout, child.stderr]) void log.follow(stream);
  return child;
}

/** Ends the server that an earlier launcher left behind, and whatever that server left behind. */
export async function endOrphanedPostgres(place: Place): Promise<boolean> {
  const cluster = clusterIn(place);
  const pid = postmasterOf(cluster);
  const found = pid === undefined ? undefined : identityOf(pid);
  const ours = found !== undefined && commandOf(found.pid).includes(cluster);
  if (ours) await endProcess(found, postgresStopSteps);
  for (const left of processesIn(cluster)) signal(left, 'SIGKILL');
  return ours;
}

/** The port of the Postgres that runs on this cluster; undefined when none does. */
export function runningPort(cluster: string): number | undefined {
  const pid = postmasterOf(cluster);
  if (pid === undefined || !commandOf(pid).includes(cluster)) return undefined;
  const port = Number(readIfThere(join(cluster, 'postmaster.pid'))?.split('\n')[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

function postmasterOf(cluster: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined; // It was stopped properly, or there is no cluster yet.
  }
}
