// `npm test` and `npm run test:full [-- --after-test]`: runs the suites one after another, says what it could not run
// and how to get it, and closes with what failed and one line of counts.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';

type Counts = { passed: number; failures: readonly string[] };

/** What is read of vitest's JSON report. */
type Report = {
  numPassedTests: number;
  testResults: readonly {
    name: string;
    message: string;
    assertionResults: readonly {
      fullName: string;
      status: string;
      failureMessages?: readonly string[];
    }[];
  }[];
};

const full = process.argv.includes('--full');
/** What `npm test` runs was run just before. */
const afterTest = process.argv.includes('--after-test');
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
  if (!existsSync(file)) return { passed: 0, failures: [`${project}: the suite did not run`] };
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  const failures = report.testResults.flatMap((suite) => {
    const where = relative(root, suite.name);
    const tests = suite.assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => `${where}: ${test.fullName}\n${(test.failureMessages ?? []).join('\n')}`);
    return suite.message === '' ? tests : [`${where}: ${suite.message}`, ...tests];
  });
  // A suite can fail without a failed test: by an error that nobody caught.
  if (code !== 0 && failures.length === 0) failures.push(`${project}: ended with code ${code}`);
  return { passed: report.numPassedTests, failures };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-'));
let passed = 0;
const failures: string[] = [];
try {
  const usual = afterTest ? [] : ['unit', 'integration', 'system'];
  for (const project of [...usual, ...(full ? ['full'] : [])]) {
    const counts = await runProject(project, folder);
    passed += counts.passed;
    failures.push(...counts.failures);
  }
  if (full) {
    for (const script of ['check:style', 'check:types', 'check:unused']) {
      if ((await run('npm', ['run', '--silent', script])) === 0) passed++;
      else failures.push(`npm run ${script}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) print(`FAILED ${failure}\n`);
print(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
