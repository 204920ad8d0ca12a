import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// Who may depend on whom. A new arrow is a design decision: change this table and say why in
// docs/decisions. Biome then makes sure that code imports only what its package.json declares.
const protocols = ['gateway', 'inventory', 'kitchen', 'notifications', 'orders', 'payments'];
const mayUse: Record<string, readonly string[]> = {
  contracts: [],
  chassis: ['contracts'],
  auditor: [],
  monitor: ['chassis', 'contracts'],
  lab: ['auditor', 'chassis', 'contracts', 'launcher'],
  simulation: ['auditor', 'chassis', 'contracts', ...protocols],
  bench: ['chassis', 'contracts', 'lab', 'launcher', 'monitor'],
  console: ['contracts'],
  launcher: ['contracts', 'setup'],
  'deploy/grafana': ['contracts', 'monitor'],
  'deploy/setup': ['contracts'],
  test: ['auditor', 'chassis', 'contracts', 'grafana', 'lab', 'launcher', 'monitor', 'setup'],
};
const anyService = ['chassis', 'contracts'];

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n');
const manifests = tracked.filter((path) => /^.+\/package\.json$/.test(path));
const packageOf = (folder: string): string => folder.split('/').at(-1) ?? '';

test('the rule sees every package', () => {
  const folders = manifests.map((path) => path.replace('/package.json', ''));
  expect(folders).toEqual(expect.arrayContaining([...Object.keys(mayUse), 'services/orders']));
});

test.each(manifests)('%s declares only the packages it may use', (path) => {
  const folder = path.replace('/package.json', '');
  const manifest: { dependencies?: object; devDependencies?: object } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter((name) => name.startsWith('@rushlight/'))
    .map((name) => name.replace('@rushlight/', ''));
  const allowed = folder.startsWith('services/') ? anyService : mayUse[folder];
  expect(allowed, `${folder} is missing from the table in this test`).toBeDefined();
  expect(declared.filter((name) => !allowed?.includes(name))).toEqual([]);
  expect(packageOf(folder), 'a package is named like its folder').toBe(
    (manifest as { name?: string }).name?.replace('@rushlight/', ''),
  );
});

test('an import of another package names the package, never its files', () => {
  const sources = tracked.filter((path) => /\.tsx?$/.test(path));
  expect(sources.length).toBeGreaterThan(50);
  const wrong = sources.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)]
      .map((match) => new URL(match[1] ?? '', `file:///${path}`).pathname.slice(1))
      .filter((target) => topOf(target) !== topOf(path))
      .map((target) => `${path} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

function topOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('services/') ? 2 : 1)
    .join('/');
}
