// Programs of the system that tests run beside the platform: started on free ports, ended by their id.

import { spawn, spawnSync } from 'node:child_process';
import { request } from 'undici';
import { eventually } from './eventually.ts';

/** Those of these that are not there. */
export function missingPrograms(names: readonly string[]): string[] {
  return names.filter((name) => spawnSync(name, ['--version'], { timeout: 20_000 }).error);
}

/** Runs a program to its end, and returns what it said. */
export function runProgram(
  name: string,
  options: readonly string[],
  how: { cwd?: string; env?: Record<string, string> } = {},
): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(name, options, {
    ...(how.cwd === undefined ? {} : { cwd: how.cwd }),
    env: { ...process.env, ...how.env },
    encoding: 'utf8',
    timeout: 110_000,
  });
  return { status, said: `${stdout}${stderr}`.slice(0, 20_000) };
}

/**
 * Starts a program that goes on, and waits until it answers at this URL, or is there when it has none.
 *
 * @throws Error with what it said, when it does not
 */
export async function startProgram(
  name: string,
  options: readonly string[],
  how: { url?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<AsyncDisposable & { readonly isRunning: boolean }> {
  const child = spawn(name, options, {
    ...(how.cwd === undefined ? {} : { cwd: how.cwd }),
    env: { ...process.env, ...how.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000);
    });
  }
  let isRunning = true;
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  }).then(() => {
    isRunning = false;
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const answers = async (): Promise<boolean> => {
    if (!isRunning) throw new Error(`${name} ended: ${said}`);
    if (how.url === undefined) return true;
    const { statusCode, body } = await request(how.url);
    await body.dump();
    return statusCode < 500;
  };
  try {
    await eventually(`${name} answers`, answers, { deadlineMs: 60_000, everyMs: 100 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get isRunning() {
      return isRunning;
    },
    [Symbol.asyncDispose]: stop,
  };
}
