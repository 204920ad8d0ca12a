import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { migrate, UnavailableError } from '../src/store/index.ts';
import { freePort, freshDatabase } from '../src/testing/index.ts';

async function folderOf(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'migrations-'));
  const write = async (more: Record<string, string>): Promise<void> => {
    for (const [name, sql] of Object.entries(more)) await writeFile(join(path, name), sql);
  };
  await write(files);
  return {
    set: { folder: pathToFileURL(path), table: 'done' },
    write,
    remove: (name: string) => rm(join(path, name)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

async function countIn(url: string, table: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(rows[0]?.count);
  } finally {
    await client.end();
  }
}

const first = { '0001_first.sql': 'CREATE TABLE a (x int); INSERT INTO a VALUES (1);' };
const second = { '0002_second.sql': 'INSERT INTO a VALUES (2);' };

test('each file is applied once, in order, however often and by however many', async () => {
  await using database = await freshDatabase('migrations');
  await using files = await folderOf(first);
  await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, [files.set])));
  expect(await countIn(database.url, 'a')).toBe(1);
  await files.write(second);
  await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, [files.set])));
  expect(await countIn(database.url, 'a')).toBe(2);
});

test('a file that was changed after it was applied is refused', async () => {
  await using database = await freshDatabase('migrations');
  await using files = await folderOf(first);
  await migrate(database.url, [files.set]);
  await files.write({ '0001_first.sql': 'CREATE TABLE b (x int)' });
  await expect(migrate(database.url, [files.set])).rejects.toThrow(
    'Migration 0001_first.sql was changed after it was applied',
  );
});

test('a database that is newer than the program is refused', async () => {
  await using database = await freshDatabase('migrations');
  await using files = await folderOf({ ...first, ...second });
  await migrate(database.url, [files.set]);
  await files.remove('0002_second.sql');
  await expect(migrate(database.url, [files.set])).rejects.toThrow(
    'The database is newer than this program: it has migration 0002_second.sql',
  );
});

test.each([
  [{ ...first, '0003_third.sql': 'SELECT 1' }, 'Migration 0003_third.sql stands where number 2'],
  [{ ...first, '2_second.sql': 'SELECT 1' }, 'Migration 2_second.sql is not named 0001_name.sql'],
])('a folder with a gap or a bad name is refused', async (content, sentence) => {
  await using database = await freshDatabase('migrations');
  await using files = await folderOf(content);
  await expect(migrate(database.url, [files.set])).rejects.toThrow(sentence);
});

test('a file that fails leaves nothing behind, and what came before it stays', async () => {
  await using database = await freshDatabase('migrations');
  await using files = await folderOf({
    ...first,
    '0002_second.sql': 'INSERT INTO a VALUES (2); SELECT nonsense;',
  });
  await expect(migrate(database.url, [files.set])).rejects.toThrow(
    'Migration 0002_second.sql failed and was rolled back: column "nonsense" does not exist',
  );
  expect(await countIn(database.url, 'a')).toBe(1);
  await files.write(second);
  await migrate(database.url, [files.set]);
  expect(await countIn(database.url, 'a')).toBe(2);
});

test('a database that is not there is unavailability', async () => {
  await using files = await folderOf(first);
  const url = `postgres://nobody@127.0.0.1:${await freePort()}/nothing`;
  await expect(migrate(url, [files.set])).rejects.toBeInstanceOf(UnavailableError);
});
