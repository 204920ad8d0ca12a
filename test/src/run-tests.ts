// Test files of packages, run once more beside servers that they do not start themselves.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs integration tests to their end, with these variables. Shows what they said unless all are green.
 *
 * @param files their paths from the root
 */
export async function expectGreen(
  files: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  for (const file of files) expect(existsSync(`${root}${file}`), file).toBe(true);
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const options = ['run', '--project', 'integration', '--reporter', 'dot', ...files];
  // A run inside of a run is told nothing of the outer one.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  const child = spawn(process.execPath, [vitest, ...options], {
    cwd: root,
    env: { ...Object.fromEntries(own), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-20_000);
    });
  }
  const code = await new Promise((done) => child.once('close', done));
  expect(code, said).toBe(0);
}
