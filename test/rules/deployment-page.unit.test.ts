import { readFileSync } from 'node:fs';
import { limits, processNames, serviceEnvironment } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { settingsOfProcess } from '../src/settings.ts';

const page = readFileSync('docs/DEPLOYMENT.md', 'utf8');
const tables = page.slice(page.indexOf('## Everything that a process reads'));

test('docs/DEPLOYMENT.md has every variable of the contracts, in their words', () => {
  const rows = [...tables.matchAll(/^\| `(\w+)` \| ([^|]+) \|$/gm)];
  expect(Object.fromEntries(rows.map(([, name, what]) => [name, what]))).toEqual(
    serviceEnvironment,
  );
});

test('docs/DEPLOYMENT.md has every setting of every process, and no others', () => {
  const rows = [...tables.matchAll(/^\| `(\w+)` \|[^|]*\| [^|]+ \|$/gm)].map(([, name]) => name);
  const known = new Set(processNames.flatMap(settingsOfProcess));
  expect(known.size).toBeGreaterThan(40);
  expect([...rows].sort()).toEqual([...known].sort());
});

test('defaults that are limits of the API are the same', () => {
  expect(tables).toContain(`_ORDERS_PER_S\` | ${limits.studentOrdersPerS} |`);
  expect(tables).toContain(`_ORDERS_BURST\` | ${limits.studentOrdersBurst} |`);
});
