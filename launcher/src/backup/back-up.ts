// Makes a backup of a data folder: all databases of the embedded Postgres at one instant, the secrets
// that fit them, and what services keep in files. The shop may run meanwhile, or not.
//
// B1. What has the name that was asked for is whole. It is made under another name, and renamed when
//     all of it is on the disk.
// B2. Nobody else can read it: it holds passwords, password hashes and who ate what.
// B3. Telemetry, logs, caches and the file of messages out are not in it: the shop goes on without.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type DataFolder, layoutOf } from '../data-folder.ts';
import { readIfThere, writeWhole } from '../files.ts';
import { LaunchError } from '../launch-error.ts';
import { ownerOf, takeLock } from '../lock.ts';
import { clusterIn } from '../postgres/cluster.ts';
import { superuserUrl } from '../postgres/databases.ts';
import { choosePlace, type Place } from '../postgres/place.ts';
import { runningPort } from '../postgres/server.ts';
import { identityOf, isRunning } from '../processes.ts';
import { openSecrets } from '../secrets.ts';
import { copyFile, forEach, hashFile, makeFolder, syncFolder, syncFolders, walk } from './copy.ts';
import { backupVersion, type ListedFile, readFormatOf, writeManifest } from './manifest.ts';
import { copyRunningCluster, skipsInStopped } from './running-cluster.ts';

export type BackupReport = {
  /** Messages that were on a RabbitMQ of this shop are not in it. */
  withoutBus: boolean;
  folder: string;
  running: boolean;
  at: Date;
  bytes: number;
  files: number;
};

const ownerFile = 'owner';

/**
 * @param target a folder that is not there yet
 * @throws LaunchError
 */
export async function backUp(options: {
  data: string;
  target: string;
  signal?: AbortSignal;
}): Promise<BackupReport> {
  const folder = layoutOf(options.data);
  const target = resolve(options.target);
  if (!existsSync(join(folder.root, 'format.json')) || !existsSync(folder.secrets)) {
    throw new LaunchError(`${folder.root} holds no shop. Say which with --data DIR.`);
  }
  if (existsSync(target)) throw new LaunchError(`${target} is there already. Choose another name.`);
  if (`${target}/`.startsWith(`${folder.root}/`)) {
    throw new LaunchError(`${target} is inside of what is to be backed up. Choose another place.`);
  }
  const draft = await openDraft(target);
  try {
    const report = await fill(folder, draft, options.signal);
    rmSync(join(draft, ownerFile));
    await syncFolder(draft);
    await rename(draft, target); // B1
    await syncFolder(dirname(target));
    return { ...report, folder: target };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw readable(error, target);
  }
}

/** The folder in which it is made; what a backup that was killed has left there goes first. */
async function openDraft(target: string): Promise<string> {
  const draft = `${target}.partial`;
  const owner = readIfThere(join(draft, ownerFile));
  if (owner !== undefined && isRunning(JSON.parse(owner))) {
    throw new LaunchError(`Another backup is being made at ${target}.`);
  }
  rmSync(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { mode: 0o700 });
  } catch (error) {
    throw new LaunchError(`Cannot make ${draft}: ${(error as Error).message}`);
  }
  writeWhole(join(draft, ownerFile), JSON.stringify(identityOf(process.pid)));
  return draft;
}

async function fill(folder: DataFolder, draft: string, signal: AbortSignal | undefined) {
  const place = choosePlace(folder.postgres);
  const contents = new Contents(draft, signal);
  await contents.makeFolder('data/services');
  for (const name of ['format.json', 'secrets.json']) {
    await contents.copy(join(folder.root, name), `data/${name}`);
  }
  const services = join(folder.root, 'services');
  if (existsSync(services)) await contents.copyAll(services, 'data/services', isOfNoUse);
  await contents.makeFolder('cluster');
  const port = runningPort(clusterIn(place));
  const at =
    port === undefined
      ? await copyStopped(folder, place, contents)
      : await copyRunning(folder, place, port, contents);
  await syncFolders(draft, contents.folders);
  const postgres = Number(readFileSync(join(draft, 'cluster', 'PG_VERSION'), 'utf8'));
  writeManifest(draft, {
    ...({ product: 'rushlight-backup', version: backupVersion } as const),
    ...{ at: at.toISOString(), running: port !== undefined, postgres },
    formatVersion: readFormatOf(join(draft, 'data', 'format.json')),
    ...{ platform: process.platform, arch: process.arch },
    folders: contents.folders.filter((path) => path.includes('/')),
    files: contents.files,
  });
  const bytes = contents.files.reduce((sum, file) => sum + file.bytes, 0);
  const withoutBus = existsSync(join(folder.root, 'rabbitmq'));
  return { withoutBus, running: port !== undefined, at, bytes, files: contents.files.length };
}

/** Files of services that are telemetry or logs (B3), or the drafts of others. */
function isOfNoUse(path: string): boolean {
  return /^monitor\/(telemetry|log-offsets)|^[^/]+\/messages(\.\d+)?\.jsonl$|\.tmp$/.test(path);
}

/** What goes into a backup, and the list of it. */
class Contents {
  readonly root: string;
  readonly folders: string[] = [];
  readonly files: ListedFile[] = [];
  readonly #signal: AbortSignal | undefined;

  constructor(root: string, signal: AbortSignal | undefined) {
    this.root = root;
    this.#signal = signal;
  }

  async makeFolder(path: string): Promise<void> {
    await makeFolder(join(this.root, path));
    this.folders.push(path);
  }

  async copy(from: string, path: string): Promise<void> {
    this.#signal?.throwIfAborted();
    const copied = await copyFile(from, join(this.root, path));
    // Gone meanwhile: Postgres drops what it no longer needs, and its log knows.
    if (copied !== undefined) this.files.push({ path, ...copied });
  }

  /** Lists a file that somebody else has written. */
  async list(path: string): Promise<void> {
    const { size } = await stat(join(this.root, path));
    this.files.push({ path, bytes: size, sha256: await hashFile(join(this.root, path)) });
  }

  async copyAll(from: string, below: string, skips: (path: string) => boolean): Promise<void> {
    const { folders, files } = await walk(from, skips);
    for (const folder of folders) await this.makeFolder(`${below}/${folder}`);
    await forEach(files, (file) => this.copy(join(from, file), `${below}/${file}`));
  }
}

async function copyRunning(
  folder: DataFolder,
  place: Place,
  port: number,
  contents: Contents,
): Promise<Date> {
  const cluster = clusterIn(place);
  const target = join(contents.root, 'cluster');
  const at = await copyRunningCluster({
    ...{ url: superuserUrl(port, openSecrets(folder.secrets, [])), cluster, target },
    copyAll: (skips) => contents.copyAll(cluster, 'cluster', skips),
    copyFile: (path) => contents.copy(join(cluster, path), `cluster/${path}`),
  });
  await contents.list('cluster/backup_label');
  return at;
}

async function copyStopped(folder: DataFolder, place: Place, contents: Contents): Promise<Date> {
  const owner = ownerOf(folder.root);
  if (owner !== undefined) {
    throw new LaunchError(
      `Rushlight (pid ${owner.pid}) is starting or stopping on ${folder.root}. Try again in a moment.`,
    );
  }
  const cluster = clusterIn(place);
  if (!existsSync(cluster)) {
    throw new LaunchError(
      `There is no database in ${place.home}. A Postgres by URL is backed up with its own tools.`,
    );
  }
  const lock = takeLock(folder.root, 0);
  try {
    if (runningPort(cluster) !== undefined) throw new LaunchError(`Postgres was started just now.`);
    await contents.copyAll(cluster, 'cluster', skipsInStopped);
    return new Date();
  } finally {
    lock.release();
  }
}

function readable(error: unknown, target: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LaunchError(`The disk of ${target} is full. Nothing was left there.`);
  }
  return error;
}
