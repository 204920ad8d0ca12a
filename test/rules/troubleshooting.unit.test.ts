// What pages for operators quote is what programs say, and the commands that they name exist.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n')
  .filter((path) => /(^|\/)(src|scripts)\/.+\.(ts|tsx|mjs)$/.test(path) && existsSync(path))
  .filter((path) => !path.startsWith('test/'));

/** All of the code, with sentences that are written over several lines in one piece. */
const code = sources
  .map((path) => readFileSync(path, 'utf8').replace(/(['`])\s*\+\s*(['`])/g, ''))
  .join('\n');

const page = readFileSync('docs/TROUBLESHOOTING.md', 'utf8');
const quoted = [...page.matchAll(/\*\*`([^`]+)`\*\*/g)].map((match) => match[1] ?? '');

test('the rule sees messages and code', () => {
  expect(quoted.length).toBeGreaterThan(40);
  expect(sources).toContain('launcher/src/ports.ts');
});

test.each(quoted)('a program says: %s', (message) => {
  const pieces = message
    .split('…')
    .map((piece) => piece.trim())
    .filter((piece) => piece.length > 1);
  expect(pieces.filter((piece) => !code.includes(piece))).toEqual([]);
});

test.each(['BACKUP', 'UPGRADE', 'TROUBLESHOOTING'])(
  'the commands and pages that docs/%s.md names exist',
  (name) => {
    const text = readFileSync(`docs/${name}.md`, 'utf8');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
    expect(commands.filter((command) => !(command in scripts))).toEqual([]);
    const pages = [...text.matchAll(/\]\(([\w./-]+\.md)\)/g)].map((match) => match[1] ?? '');
    expect(pages.filter((path) => !existsSync(`docs/${path}`))).toEqual([]);
  },
);
