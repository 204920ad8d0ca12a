// The image, built as anybody builds it, and processes that run in its file system as in a container:
// a process namespace of their own, a root file system that cannot be written to, no rights, a user
// that is a number.
//
// I1. Nothing is pulled: the base image is made here, of Debian's packages and the Node of this
//     checkout, under the name that the Dockerfile asks for.
// I2. Settings of npm reach the build as a secret, and nothing of them is left in the image.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { chmod, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { read, root } from './compose.ts';
import { missingPrograms } from './programs.ts';

const run = promisify(execFile);
const suite = 'bookworm';
const outputMax = 64 * 1024 ** 2;
const buildMsMax = 15 * 60_000;

/** Why no image can be built here, if so. */
export function whyNoImage(): string | undefined {
  if (process.platform !== 'linux') return 'images are built on Linux only';
  if (process.getuid?.() !== 0) return 'building an image without an engine needs root';
  const missing = missingPrograms(['buildah', 'debootstrap', 'unshare']);
  if (missing.length === 0) {
    const mount = ['--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'];
    return spawnSync('unshare', mount).status === 0 ? undefined : 'nobody may mount anything here';
  }
  return `${missing.join(', ')} missing (to have them: apt-get install buildah debootstrap)`;
}

export type Image = {
  /** Its file system. */
  folder: string;
  /** Its configuration, as the engine keeps it. */
  config: {
    User: string;
    Entrypoint: string[];
    Env: string[];
    StopSignal: string;
    Labels: Record<string, string>;
    Healthcheck?: { Test: string[] };
  };
  history: string;
  baseKb: number;
} & AsyncDisposable;

/** Builds it. Takes a minute, and half a minute more on a machine that never did. */
export async function buildImage(say: (line: string) => void): Promise<Image> {
  const work = mkdtempSync(join(tmpdir(), 'rushlight-image-'));
  const storage = ['--root', join(work, 'store'), '--runroot', join(work, 'run')];
  const buildah = async (...words: string[]): Promise<string> => {
    const options = { cwd: root, maxBuffer: outputMax, timeout: buildMsMax };
    const all = [...storage, '--storage-driver', 'vfs', ...words];
    return (await run('buildah', all, options)).stdout.trim();
  };
  const measure = async (what: string, step: () => Promise<void>): Promise<void> => {
    const startedMs = performance.now();
    await step();
    say(`${what}: ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  };
  const close = async (): Promise<void> => {
    await buildah('umount', '--all').catch(() => undefined);
    await rm(work, { recursive: true, force: true });
  };
  try {
    await measure('Debian for the base image', async () => void (await debian()));
    await measure('the base image', () => makeBase(buildah));
    const npmrc = join(work, 'npmrc');
    await writeFile(npmrc, await settingsOfNpm(), { mode: 0o600 });
    const name = 'localhost/rushlight:test';
    await measure('the image', async () => {
      const how = ['--isolation', 'chroot', '--format', 'docker', '--pull-never'];
      await buildah('bud', ...how, '--secret', `id=npmrc,src=${npmrc}`, '-t', name, '.');
    });
    const container = await buildah('from', '--pull-never', name);
    const folder = await buildah('mount', container);
    const told = await buildah('inspect', '--type', 'image', name);
    const { Docker: docker } = JSON.parse(told);
    const [baseKb = '0'] = (await run('du', ['-sk', await debian()])).stdout.split('\t');
    return {
      ...{ folder, config: docker.config, history: told, baseKb: Number(baseKb) },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A small Debian, kept for the next time. */
async function debian(): Promise<string> {
  const folder = join(tmpdir(), `rushlight-debian-${suite}-${process.arch}`);
  if (existsSync(folder)) return folder;
  const draft = mkdtempSync(`${folder}-`);
  const packages = '--include=ca-certificates,libatomic1';
  await run('debootstrap', ['--variant=minbase', packages, suite, draft, await mirror()], {
    maxBuffer: outputMax,
    timeout: buildMsMax,
  });
  await chmod(draft, 0o755);
  await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY') throw error; // Somebody else was quicker.
    rmSync(draft, { recursive: true, force: true });
  });
  return folder;
}

/** Where this machine has Debian's packages from. */
async function mirror(): Promise<string> {
  const asked = [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
  ];
  const { stdout } = await run('apt-get', [...asked, 'Label: Debian']).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').find((line) => line !== '') ?? 'http://deb.debian.org/debian';
}

async function makeBase(buildah: (...words: string[]) => Promise<string>): Promise<void> {
  const [, name = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(read('Dockerfile')) ?? [];
  const container = await buildah('from', 'scratch');
  const folder = await buildah('mount', container);
  await run('cp', ['-a', `${await debian()}/.`, folder], { timeout: buildMsMax });
  const modules = join(folder, 'usr/local/lib/node_modules');
  await cp(realpathSync(process.execPath), join(folder, 'usr/local/bin/node'));
  await mkdir(modules, { recursive: true });
  await run('cp', ['-a', await folderOfNpm(), modules], { timeout: buildMsMax });
  const link = '../lib/node_modules/npm/bin/npm-cli.js';
  await run('ln', ['-sf', link, join(folder, 'usr/local/bin/npm')]);
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  await buildah('config', '--env', path, container);
  await buildah('commit', '--quiet', '--rm', container, name);
}

async function folderOfNpm(): Promise<string> {
  const given = process.env['npm_execpath'];
  const cli = given?.endsWith('npm-cli.js')
    ? given
    : realpathSync((await run('which', ['npm'])).stdout.trim());
  return dirname(dirname(cli));
}

/** What npm is told on this machine: its settings, and who vouches for its registry. */
async function settingsOfNpm(): Promise<string> {
  const get = async (name: string): Promise<string> =>
    (await run('npm', ['config', 'get', name], { cwd: root })).stdout.trim();
  const [userConfig, registry, caFile] = await Promise.all(
    ['userconfig', 'registry', 'cafile'].map(get),
  );
  const own = existsSync(userConfig ?? '') ? readFileSync(userConfig ?? '', 'utf8') : '';
  const trusted = [process.env['NODE_EXTRA_CA_CERTS'], caFile].find((path) =>
    existsSync(path ?? ''),
  );
  const text = trusted === undefined ? '' : readFileSync(trusted, 'utf8');
  const certificates =
    text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const lines = certificates.map((one) => `ca[]="${one.replaceAll('\n', '\\n')}"`);
  return `${[own, `registry=${registry}`, ...lines].join('\n')}\n`;
}

export type Contained = {
  /** What it said so far. */
  output(): string;
  isRunning(): boolean;
  /** SIGTERM to the process itself, which is number 1 of its container; its exit code. */
  stop(): Promise<number | null>;
  ended: Promise<number | null>;
  kill(): void;
};

export type ContainerOptions = {
  image: Pick<Image, 'folder' | 'config'>;
  /** What follows the entrypoint. */
  command: readonly string[];
  user: number;
  groups: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** What stands at /etc/hosts, and the folder that is mounted at /run/rushlight. */
  hosts: string;
  secrets: string;
  mayWriteSecrets?: boolean;
};

// The same mounts as in the compose file; the network is this machine's.
const contain = `set -e
image=$1 hosts=$2 secrets=$3 how=$4 user=$5 groups=$6
shift 6
mount --make-rprivate /
mount --bind "$image" "$image"
mount -t proc proc "$image/proc"
mount --rbind /dev "$image/dev"
mount --bind "$hosts" "$image/etc/hosts"
mount --bind "$secrets" "$image/run/rushlight"
mount -o "remount,bind,$how" "$image/run/rushlight"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$image/tmp"
mount -t tmpfs -o size=256m,uid=10001,gid=10001,mode=0700 tmpfs "$image/var/lib/rushlight"
mount -o remount,bind,ro "$image"
exec chroot "$image" setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \\
  --reuid="$user" --regid="$user" --groups="$groups" -- "$@"`;

/** Starts a process in the image's file system. */
export function startContained(options: ContainerOptions): Contained {
  const { image, command, user, groups, environment, hosts, secrets } = options;
  const told = Object.fromEntries(image.config.Env.map((line) => line.split(/=(.*)/s)));
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', contain, 'sh'],
      ...[image.folder, hosts, secrets, options.mayWriteSecrets ? 'rw' : 'ro'],
      ...[String(user), groups.join(','), ...image.config.Entrypoint, ...command],
    ],
    { env: { ...told, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = `${output}${chunk}`.slice(-20_000);
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
  return {
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      process.kill(innerOf(child), 'SIGTERM');
      return await ended;
    },
    ended,
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The one process that `unshare` started. */
function innerOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
