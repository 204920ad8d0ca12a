import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type InvariantSpec, invariants } from '../src/index.ts';

test('the page lists the invariants as they are', () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (I\d+) \| (.+) \| (.+) \| (.+) \|$/gm)];
  const listed = rows.map(([, id, sentence, evidence, atTheEnd]) => [
    id,
    sentence,
    evidence,
    atTheEnd,
  ]);
  const table: [string, InvariantSpec][] = Object.entries(invariants);
  const actual = table.map(([id, { sentence, needs, uses, atTheEnd }]) => {
    const evidence = [...needs, ...uses.map((part) => `(${part})`)].join(', ') || '–';
    return [id, sentence, evidence, atTheEnd];
  });
  expect(listed).toEqual(actual);
});
