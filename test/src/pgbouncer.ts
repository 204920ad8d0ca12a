// A PgBouncer in transaction mode before a Postgres, for tests: strict about what it does not know,
// and with fewer connections than whoever uses it, so that sessions do change hands.

import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import { eventually } from './eventually.ts';

const nobody = 65_534;
const asRoot = process.getuid?.() === 0;
/** Debian's; it is in no ordinary user's PATH. */
export const pgbouncer = '/usr/sbin/pgbouncer';

export type Pooler = {
  /** `pgbouncer=true`, and no database: whoever asks gets in as the one who runs the server. */
  url: string;
} & AsyncDisposable;

export async function startPgbouncer(postgresUrl: string): Promise<Pooler> {
  const server = new URL(postgresUrl);
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-pooler-'));
  const file = join(folder, 'pgbouncer.ini');
  const port = await freePort();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: 3,
    server_login_retry: 1,
    max_client_conn: 500,
    ignore_startup_parameters: '',
    log_connections: 0,
    log_disconnections: 0,
  };
  const { hostname, port: serverPort, username } = server;
  const password = decodeURIComponent(server.password);
  const every = `* = host=${hostname} port=${serverPort} user=${username} password=${password}`;
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(file, `[databases]\n${every}\n[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o600 });
  if (asRoot) for (const path of [folder, file]) chownSync(path, nobody, nobody);
  const child = spawn(pgbouncer, ['-q', file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(asRoot ? { uid: nobody, gid: nobody } : {}),
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000);
    });
  }
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually('PgBouncer listens', () => listens(port), { deadlineMs: 30_000 });
  } catch (error) {
    await stop();
    throw new Error(`PgBouncer does not start: ${said}`, { cause: error });
  }
  const url = `postgres://any:any@127.0.0.1:${port}/?pgbouncer=true`;
  return { url, [Symbol.asyncDispose]: stop };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
