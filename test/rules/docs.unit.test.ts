import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { services } from '@rushlight/contracts';
import { expect, test } from 'vitest';

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const pages = tracked.filter((path) => path.endsWith('.md'));

test('every file that a page names exists', () => {
  expect(pages).toContain('ARCHITECTURE.md');
  const missing = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|md|mjs|sql|json))`/g)]
      .map((match) => match[1] ?? '')
      .filter((path) => !existsSync(path) && !existsSync(`${folderOf(page)}${path}`))
      .map((path) => `${page} names ${path}`),
  );
  expect(missing).toEqual([]);
});

test('ARCHITECTURE.md lists the services that exist, and no others', () => {
  const page = readFileSync('ARCHITECTURE.md', 'utf8');
  const rows = [...page.matchAll(/^\| `services\/(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(Object.keys(services).sort());
});

test.each(Object.keys(services))('the %s service has a page of its own', (name) => {
  const page = readFileSync(`services/${name}/README.md`, 'utf8');
  for (const heading of ['Owns', 'Answers', 'Promises', 'How it fails']) {
    expect(page).toContain(heading);
  }
});

test('no page or source names a path of one machine', () => {
  const texts = tracked.filter((path) => /\.(ts|tsx|md|mjs|json|yml|sql|css|html)$/.test(path));
  const wrong = texts.filter(
    (path) =>
      path !== 'test/rules/docs.unit.test.ts' &&
      /\/(home|Users|work)\/\w+\//.test(readFileSync(path, 'utf8')),
  );
  expect(wrong).toEqual([]);
});

function folderOf(page: string): string {
  return page.includes('/') ? page.slice(0, page.lastIndexOf('/') + 1) : '';
}
