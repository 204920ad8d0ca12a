// `npm test` and `npm run test:full`: runs the suites one after another, says what it could not run
// and how to get it, and closes with one line of counts.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

type Counts = { passed: number; failed: number };

const full = process.argv.includes('--full');
const root = new URL('../../', import.meta.url).pathname;
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

async function run(command: string, args: readonly string[]): Promise<number> {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function runProject(project: string, folder: string): Promise<Counts> {
  const file = join(folder, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await run(bin('vitest'), ['run', '--project', project, ...reporters]);
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
  // A suite can fail without a failed test: in its set-up, or by an error nobody caught.
  const failed = code !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
  return { passed: numPassedTests, failed };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-'));
const total: Counts = { passed: 0, failed: 0 };
try {
  // Long tests come with the engines that they need; until then there is nothing to run.
  const more = full && existsSync(join(root, 'test', 'full')) ? ['full'] : [];
  for (const project of ['unit', 'integration', 'system', ...more]) {
    const counts = await runProject(project, folder);
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
  if (full) {
    for (const script of ['check:style', 'check:types', 'check:unused']) {
      if ((await run('npm', ['run', '--silent', script])) === 0) total.passed++;
      else total.failed++;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
print(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
