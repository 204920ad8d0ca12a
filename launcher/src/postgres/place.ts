// Where the cluster lives and as whom Postgres runs.
//
// Postgres refuses to run as root, so root hands it to the user "nobody", who must be able to walk
// to the programs and to the cluster. A folder below /root, for one, is closed to that user.

import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readIfThere, writeWhole } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import { processesIn } from '../processes.ts';
import { copyPostgres, findPostgres, librariesAreLinked, linkLibraries } from './binaries.ts';

const nobody = 65_534;
/** In a home away from its data folder: the path of that folder. */
const servesFile = 'serves';

export type Place = {
  /** Holds the cluster, and the programs if they had to be copied. Never removed with `--fresh`. */
  readonly home: string;
  /** The folder with bin/, lib/ and share/. */
  readonly native: string;
  /** The user to run as, where it is not ourselves. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
};

/** As whom servers run that need no rights: root hands them to a user who has none. */
export function userOfServers(): Place['user'] {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : undefined;
}

/**
 * Decides where and as whom, and makes the folders.
 *
 * @param native the folder with bin/: the embedded programs unless another one is given
 */
export function choosePlace(postgresFolder: string, native = findPostgres()): Place {
  const user = userOfServers();
  if (user === undefined) {
    mkdirSync(postgresFolder, { recursive: true, mode: 0o700 });
    return {
      home: postgresFolder,
      native: linkedPrograms(native, postgresFolder),
      user: undefined,
    };
  }
  if (process.platform !== 'linux') {
    throw new LaunchError('Postgres does not run as root. Start Rushlight as a normal user.');
  }
  // The data folder is ours to open a little: to pass through it, not to look into it.
  const data = dirname(postgresFolder);
  chmodSync(data, statSync(data).mode | 0o001);
  const home = canWalkTo(data) ? postgresFolder : openHome(postgresFolder);
  mkdirSync(home, { recursive: true, mode: 0o711 });
  chmodSync(home, 0o711);
  const readable = canWalkTo(native) && canRead(join(native, 'bin', 'postgres'));
  const programs = readable ? linkedPrograms(native, home) : copyPostgres(native, home);
  return { home, native: programs, user };
}

function linkedPrograms(native: string, home: string): string {
  if (librariesAreLinked(native)) return native;
  try {
    linkLibraries(native);
    return native;
  } catch {
    return copyPostgres(native, home); // node_modules is not ours to write to.
  }
}

/** Whether "nobody" may pass through every folder down to this one. */
function canWalkTo(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    const { mode, uid } = statSync(at);
    if ((mode & (uid === nobody ? 0o100 : 0o001)) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function canRead(file: string): boolean {
  return (statSync(file).mode & 0o005) === 0o005;
}

/** A folder of this installation that survives a reboot where possible; otherwise a temporary one. */
function openHome(postgresFolder: string): string {
  const name = createHash('sha256').update(postgresFolder).digest('hex').slice(0, 16);
  for (const base of ['/var/lib/rushlight', join(tmpdir(), 'rushlight-root')]) {
    const home = join(base, name);
    try {
      mkdirSync(base, { recursive: true, mode: 0o711 });
      if (lstatSync(base).uid !== 0 || !lstatSync(base).isDirectory()) continue;
      mkdirSync(home, { recursive: true, mode: 0o711 });
      if (!canWalkTo(home)) continue;
      forgetTemporary(base);
      writeWhole(join(home, servesFile), dirname(postgresFolder));
      return home;
    } catch {
      // A file system that cannot be written to: the next one.
    }
  }
  throw new LaunchError(
    `As root, Postgres runs as another user, and no folder was found that it may enter. ` +
      'Start Rushlight as a normal user, or choose another folder with --data DIR.',
  );
}

/** Removes homes whose data folder was a temporary one and is gone: nobody will ask for them. */
function forgetTemporary(base: string): void {
  for (const name of readdirSync(base)) {
    const home = join(base, name);
    const data = readIfThere(join(home, servesFile));
    if (data === undefined || existsSync(data) || !data.startsWith(`${tmpdir()}/`)) continue;
    if (processesIn(join(home, 'cluster')).length > 0) continue;
    rmSync(home, { recursive: true, force: true });
  }
}

/** Gives a file or folder to the user Postgres runs as. */
export function giveTo(user: Place['user'], path: string): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}
