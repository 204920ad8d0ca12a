// The cluster on disk: made once, whole or not at all, and known as this installation's.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import type { Secrets } from '../secrets.ts';
import { majorVersionOf } from './binaries.ts';
import { giveTo, type Place } from './place.ts';

export const superuser = 'rushlight';
const initMsMax = 60_000;
const outputLinesMax = 20;

export function clusterIn(place: Place): string {
  return join(place.home, 'cluster');
}

/** What Postgres and its tools find in their environment: nothing of ours. */
export const postgresEnvironment: NodeJS.ProcessEnv = {
  LC_ALL: 'C',
  TZ: 'UTC',
  PATH: '/usr/bin:/bin',
};

/** Removes a cluster that nobody needs any more. It must not be running. */
export function forgetCluster(place: Place): void {
  for (const name of ['cluster', 'cluster.new', 'installation']) {
    rmSync(join(place.home, name), { recursive: true, force: true });
  }
}

/**
 * Makes the cluster unless it is there.
 *
 * @returns whether it was made now
 * @throws LaunchError when it cannot be made, or belongs to another version of Postgres
 */
export async function ensureCluster(place: Place, secrets: Secrets): Promise<boolean> {
  const cluster = clusterIn(place);
  const mark = join(place.home, 'installation');
  // Beside a data folder that was deleted by hand, a cluster elsewhere holds nothing of use.
  if (readIfThere(mark) !== secrets.installation) forgetCluster(place);
  if (existsSync(cluster)) {
    checkVersion(cluster, place);
    return false;
  }
  const draft = `${cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  giveTo(place.user, draft);
  const passwordFile = join(place.home, 'password.tmp');
  writeFileSync(passwordFile, secrets.superuser, { mode: 0o600 });
  giveTo(place.user, passwordFile);
  try {
    await initialize(place, draft, passwordFile);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  markCluster(place, secrets.installation);
  renameSync(draft, cluster);
  return true;
}

/** Says whose the cluster is that is to come here. */
export function markCluster(place: Place, installation: string): void {
  writeFileSync(join(place.home, 'installation'), installation, { mode: 0o600 });
}

function checkVersion(cluster: string, place: Place): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  const brought = majorVersionOf(place.native);
  if (found === String(brought)) return;
  throw new LaunchError(
    `The data in ${cluster} is of Postgres ${found}, the programs are of ${brought}. ` +
      'Use the Rushlight that wrote it, start with --fresh to forget it, or choose --data DIR.',
  );
}

function initialize(place: Place, draft: string, passwordFile: string): Promise<void> {
  const options = [
    `--pgdata=${draft}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
  ];
  const child = spawn(join(place.native, 'bin', 'initdb'), options, {
    cwd: place.home,
    env: postgresEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: initMsMax,
    killSignal: 'SIGKILL',
    ...place.user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new LaunchError(`initdb: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve();
      const last = output.trim().split('\n').slice(-outputLinesMax).join('\n');
      reject(new LaunchError(`Postgres could not be set up (${signal ?? code}):\n${last}`));
    });
  });
}
