// Puts a backup into a new data folder, from which the shop is then started as usual.
//
// S1. Nothing is touched before the backup was found to be whole, and fit for these programs.
// S2. Only an empty folder is written to, or one in which an earlier restore did not come to its end.
// S3. The mark that makes it a shop's folder is written last: half a restore does not start.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DataFolder, formatVersion, layoutOf } from '../data-folder.ts';
import { findDebianPostgres } from '../engines/debian-postgres.ts';
import { writeWhole } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import { ownerOf, takeLock } from '../lock.ts';
import { findPostgres, majorVersionOf } from '../postgres/binaries.ts';
import { clusterIn, forgetCluster, markCluster } from '../postgres/cluster.ts';
import { choosePlace, giveTo, type Place } from '../postgres/place.ts';
import { runningPort } from '../postgres/server.ts';
import { openSecrets } from '../secrets.ts';
import { copyFile, forEach, makeFolder, syncFolders } from './copy.ts';
import { checkBackup, damaged, type Manifest, readManifest } from './manifest.ts';

/** Stands in a folder as long as the restore goes on. */
const markFile = 'restoring';

/** @throws LaunchError when it is not whole, or not for these programs */
export async function checkedBackup(from: string): Promise<Manifest> {
  const folder = resolve(from);
  const manifest = readManifest(folder);
  const { postgres, platform, arch } = manifest;
  const there = versionsThere();
  if (!there.includes(postgres)) {
    throw new LaunchError(
      `${folder} is of Postgres ${postgres}, here is ${there.join(' and ')}. ` +
        'Restore it with the Rushlight that wrote it.',
    );
  }
  if (platform !== process.platform || arch !== process.arch) {
    throw new LaunchError(
      `${folder} was made on ${platform} ${arch}, and fits no ${process.platform} ${process.arch}.`,
    );
  }
  if (manifest.formatVersion > formatVersion) {
    throw new LaunchError(
      `${folder} holds data of format ${manifest.formatVersion}, written by a newer Rushlight; this ` +
        `one knows up to ${formatVersion}. Update it.`,
    );
  }
  await checkBackup(folder, manifest);
  return manifest;
}

/** Of the embedded programs, and of those of the system where there are any. */
function versionsThere(): number[] {
  const ways = [findPostgres, findDebianPostgres];
  return ways.flatMap((find) => {
    try {
      return [majorVersionOf(find())];
    } catch (error) {
      if (error instanceof LaunchError) return [];
      throw error;
    }
  });
}

/** @throws LaunchError; nothing is left in the data folder then */
export async function restore(options: {
  from: string;
  data: string;
  signal?: AbortSignal;
}): Promise<Manifest> {
  const folder = layoutOf(options.data);
  refuseIfUsed(folder.root);
  const manifest = await checkedBackup(options.from); // S1
  mkdirSync(folder.root, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const lock = takeLock(folder.root, 0);
  let place: Place | undefined;
  try {
    refuseIfUsed(folder.root);
    empty(folder.root);
    writeFileSync(join(folder.root, markFile), '', { mode: 0o600 });
    place = choosePlace(folder.postgres);
    await fill(resolve(options.from), manifest, folder, place, options.signal);
    return manifest;
  } catch (error) {
    if (place !== undefined) forgetCluster(place);
    empty(folder.root);
    rmSync(join(folder.root, markFile), { force: true });
    throw readable(error, folder.root);
  } finally {
    lock.release();
  }
}

function readable(error: unknown, root: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LaunchError(`The disk of ${root} is full. Nothing was left there.`);
  }
  return error;
}

const isLock = (name: string): boolean => /^lock($|\.)/.test(name);

/** S2. */
function refuseIfUsed(root: string): void {
  const owner = ownerOf(root);
  if (owner !== undefined && owner.pid !== process.pid) {
    throw new LaunchError(`Rushlight runs on ${root}: pid ${owner.pid}. Choose another folder.`);
  }
  const names = existsSync(root) ? readdirSync(root).filter((name) => !isLock(name)) : [];
  if (names.length === 0 || (names.includes(markFile) && !names.includes('format.json'))) return;
  throw new LaunchError(
    `${root} is not empty. A backup is restored into a new folder: choose one with --data DIR.`,
  );
}

/** Removes all but the lock and the mark. */
function empty(root: string): void {
  for (const name of readdirSync(root)) {
    if (isLock(name) || name === markFile) continue;
    rmSync(join(root, name), { recursive: true, force: true });
  }
}

async function fill(
  from: string,
  manifest: Manifest,
  folder: DataFolder,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cluster = clusterIn(place);
  if (runningPort(cluster) !== undefined) {
    throw new LaunchError(`Postgres runs on ${cluster}. Stop it first.`);
  }
  forgetCluster(place); // One elsewhere, of a folder that was removed by hand.
  const draft = `${cluster}.new`;
  const copying = { from, manifest, signal };
  await copyPart(copying, 'cluster', draft, place.user);
  await copyPart(copying, 'data', folder.root, undefined, (path) => path !== 'format.json');
  const { installation } = openSecrets(folder.secrets, []);
  markCluster(place, installation);
  renameSync(draft, cluster);
  await syncFolders(place.home, []);
  const format = readFileSync(join(from, 'data', 'format.json'), 'utf8');
  writeWhole(join(folder.root, 'format.json'), format); // S3
  rmSync(join(folder.root, markFile));
  await syncFolders(folder.root, []);
}

/** Copies what stands below one folder of the backup, and sees that it is what the manifest says. */
async function copyPart(
  copying: { from: string; manifest: Manifest; signal: AbortSignal | undefined },
  part: 'cluster' | 'data',
  target: string,
  user: Place['user'],
  wants: (path: string) => boolean = () => true,
): Promise<void> {
  const { from, manifest, signal } = copying;
  const below = (path: string): string => path.slice(part.length + 1);
  const isOfPart = (path: string): boolean => path.startsWith(`${part}/`) && wants(below(path));
  const folders = manifest.folders.filter(isOfPart).map(below);
  await makeFolder(target);
  giveTo(user, target);
  for (const path of folders) {
    await makeFolder(join(target, path));
    giveTo(user, join(target, path));
  }
  const own = async (file: FileHandle): Promise<void> => {
    if (user !== undefined) await file.chown(user.uid, user.gid);
  };
  const files = manifest.files.filter(({ path }) => isOfPart(path));
  await forEach(files, async ({ path, sha256 }) => {
    signal?.throwIfAborted();
    const copied = await copyFile(join(from, path), join(target, below(path)), own);
    if (copied?.sha256 !== sha256) throw damaged(from, `${path} is not what was written`);
  });
  await syncFolders(target, folders);
}
