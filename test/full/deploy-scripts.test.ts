// Scripts that need an engine of containers, and the workflow that uses them, run here against a
// Docker that only writes down what it is asked. What Docker does with it is seen by the workflow.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processNames } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { read, readCompose, root } from '../src/compose.ts';
import { missingPrograms, runProgram } from '../src/programs.ts';
import { report } from '../src/report.ts';

const scripts = readdirSync(join(root, 'deploy/scripts')).filter((name) => name.endsWith('.sh'));
const inImage = readdirSync(join(root, 'deploy/image'));
const isMissing = missingPrograms(['shellcheck']).length > 0;
if (isMissing)
  report('shellcheck is missing: scripts are not checked (apt-get install shellcheck)');
const withShellcheck = test.skipIf(isMissing);

type Step = { name?: string; if?: string; uses?: string; run?: string };
type Workflow = {
  jobs: { compose: { env: Record<string, string>; 'timeout-minutes': number; steps: Step[] } };
};
const { compose: job } = (parse(read('.github/workflows/compose.yml')) as Workflow).jobs;

// Answers what the scripts ask: all runs, all is healthy, but for the one in $SICK.
const fakeDocker = `#!/bin/bash
echo "docker $*" >> "$ASKED"
words=" $* "
case $words in
  *" ps "*"--quiet"*) echo "id-of-\${!#}" ;;
  *" inspect "*Health*) [ "\${!#}" = "id-of-$SICK" ] && echo unhealthy || echo healthy ;;
  *" inspect "*Pid*) echo 4242 ;;
  *" inspect "*ExitCode*) echo 0 ;;
  *"RUSHLIGHT_LAB"*) echo "\${LAB:-false}" ;;
  *"RUSHLIGHT_EDGE_REQUESTS_PER_S"*) echo "\${PACE:-500}" ;;
  *" port edge 8000 "*) echo 127.0.0.1:3000 ;;
  *" port edge 8443 "*) echo 127.0.0.1:3443 ;;
  *admin-password*) echo from-the-volume ;;
  *" exec id-of-$SICK "*) exit 1 ;;
esac
exit 0
`;
const fakeOther = '#!/bin/bash\necho "$(basename "$0") $* $RUSHLIGHT_ADMIN_PASSWORD" >> "$ASKED"\n';

/** Runs a line of a shell with fakes of everything that it would change. */
function played(line: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-scripts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'docker'), fakeDocker, { mode: 0o755 });
  for (const name of ['sudo', 'node', 'npm']) {
    writeFileSync(join(folder, name), fakeOther, { mode: 0o755 });
  }
  const asked = join(folder, 'asked');
  writeFileSync(asked, '');
  const { status, stdout, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', line], {
    cwd: root,
    env: { PATH: `${folder}:/usr/bin:/bin`, ASKED: asked, HOME: folder, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, said: stdout + stderr, asked: readFileSync(asked, 'utf8') };
}

withShellcheck('scripts and steps of the workflow are sound', () => {
  const paths = [
    ...scripts.map((name) => `deploy/scripts/${name}`),
    ...inImage.map((name) => `deploy/image/${name}`),
  ];
  const { status, said } = runProgram('shellcheck', ['-x', ...paths], { cwd: root });
  expect(status, said).toBe(0);
  for (const { run } of job.steps) {
    if (run === undefined) continue;
    const checked = spawnSync('shellcheck', ['--shell=bash', '-'], {
      input: run,
      encoding: 'utf8',
    });
    expect(checked.status, checked.stdout).toBe(0);
  }
});

test('deploy builds, starts, waits, and says where the shop is', () => {
  const { status, said, asked } = played('deploy/scripts/deploy.sh');
  expect(status, said).toBe(0);
  const words = asked.split('\n').map((line) => line.replace(/--file \S+ /, ''));
  expect(words.slice(0, 2)).toEqual([
    'docker compose build',
    'docker compose up --detach --remove-orphans',
  ]);
  expect(said).toContain('http://127.0.0.1:3000');
  expect(said).toContain('/run/rushlight/identity/admin-password');
  expect(played('deploy/scripts/deploy.sh --no-build').asked).not.toContain(' build');
  expect(played('deploy/scripts/deploy.sh', { LAB: 'true' }).said).toContain('The lab is on');
});

test('the health check asks every process and every engine, and names who is ill', () => {
  const well = played('deploy/scripts/health-check.sh');
  expect([well.status, well.said]).toEqual([0, 'all parts work\n']);
  const asked = [...well.asked.matchAll(/^docker exec id-of-(\w+) \/opt\/rushlight\S+is-ready$/gm)];
  expect(asked.map(([, name]) => name).sort()).toEqual([...processNames].sort());
  const once = ['secrets', 'databases'];
  const others = Object.entries(readCompose('compose.yml').services)
    .filter(([name, { profiles }]) => profiles === undefined && !once.includes(name))
    .map(([name]) => name)
    .filter((name) => !(processNames as string[]).includes(name));
  const inspected = [...well.asked.matchAll(/^docker inspect .* id-of-(\w+)$/gm)];
  expect(inspected.map(([, name]) => name).sort()).toEqual(others.sort());
  for (const sick of ['orders', 'postgres']) {
    const { status, said } = played('deploy/scripts/health-check.sh', { SICK: sick });
    expect(status).toBe(1);
    expect(said).toContain(`${sick}: not ready`);
  }
});

test('load asks for the lab and an edge without a limit, then rushes', () => {
  expect(played('deploy/scripts/load.sh').said).toContain('RUSHLIGHT_LAB=true');
  expect(played('deploy/scripts/load.sh', { LAB: 'true' }).said).toContain('PER_S=0');
  const { asked } = played('deploy/scripts/load.sh --meals 5', { LAB: 'true', PACE: '0' });
  expect(asked).toContain('npm run --silent rush -- --url http://127.0.0.1:3000 --meals 5');
});

test('the workflow starts, orders, kills, orders again, and tears down', () => {
  expect(job['timeout-minutes']).toBeGreaterThan(0);
  expect(job.env['COMPOSE_FILE']).toBe('deploy/compose/compose.yml');
  for (const { uses } of job.steps) if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
  const runs = job.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
  const { status, said, asked } = played(
    runs.map((run) => `( ${run.replaceAll('compose.log', '/dev/null')} )`).join('\n'),
    { ...job.env, WAIT_S: '10' },
  );
  expect(status, said).toBe(0);
  const order = 'node deploy/scripts/try-order.mjs from-the-volume';
  const kills = ['sudo kill -KILL 4242', order, 'docker compose stop'];
  let from = asked.indexOf(order);
  expect(from).toBeGreaterThan(asked.indexOf(' up --detach'));
  for (const line of kills) {
    expect(asked.indexOf(line, from + 1), line).toBeGreaterThan(from);
    from = asked.indexOf(line, from + 1);
  }
  expect(asked).toContain('docker compose down --volumes');
  const always = job.steps.find(({ run }) => run?.includes(' down '));
  expect(always?.if).toBe('always()');
});
