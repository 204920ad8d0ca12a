import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TelemetryStore } from '../src/store/face.ts';
import {
  logRecord,
  noonMs,
  openStore,
  sample,
  span,
  spanIdOf,
  type TemporaryFolder,
  temporaryFolder,
} from './store-under-test.ts';

let folder: TemporaryFolder;
let store: TelemetryStore;

beforeAll(async () => {
  folder = temporaryFolder();
  store = await openStore(folder.path);
  const spans = Array.from({ length: 3_000 }, (_, k) =>
    span({ spanId: spanIdOf(k + 1), durationUs: k, attributes: { 'http.route': `/r${k % 3}` } }),
  );
  store.intake.spans(spans);
  store.intake.logs([logRecord({ line: 'x'.repeat(50_000) })]);
  store.intake.samples([sample({ labels: { job: 'orders' } })]);
  await store.flush();
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test('a question is answered with columns, rows and a word on whether that is all', async () => {
  const answer = await store.readOnlySql(
    `SELECT attributes->>'$."http.route"' AS route, count(*) AS n, max(duration_us)::UTINYINT AS x,
       sum(duration_us) AS total, 0.5 AS half, make_timestamp(min(start_us)) AS first, [1, 2] AS list
     FROM spans WHERE duration_us < 9 GROUP BY route ORDER BY route -- fine`,
  );
  expect(answer.columns.map(({ name }) => name)).toEqual([
    ...['route', 'n', 'x', 'total', 'half', 'first', 'list'],
  ]);
  expect(answer.rows).toEqual([
    ['/r0', 3, 6, 9, 0.5, '2026-09-22 12:00:00', '[1, 2]'],
    ['/r1', 3, 7, 12, 0.5, '2026-09-22 12:00:00', '[1, 2]'],
    ['/r2', 3, 8, 15, 0.5, '2026-09-22 12:00:00', '[1, 2]'],
  ]);
  expect(answer).toMatchObject({ truncated: false });
});

/** Seven columns, each of the one before. */
const doublings = (twice: (k: number) => string): string =>
  Array.from({ length: 7 }, (_, k) => `, ${twice(k)} AS c${k + 1}`).join('');

test.each([
  'FROM metrics',
  'SELECT 1;',
  'DESCRIBE spans',
  'SUMMARIZE samples',
  'VALUES (1), (2)',
  'WITH slow AS (SELECT * FROM spans WHERE duration_us > 5) SELECT count(*) FROM slow',
  'SELECT range FROM range(3)',
  'SELECT a.name FROM spans a JOIN main.spans b USING (trace_id) LIMIT 1',
  'SELECT row_number() OVER (ORDER BY start_us) AS a, 1 AS a FROM spans LIMIT 2',
  "SELECT count(*) FROM logs WHERE level >= 'warn'::log_level",
  'SELECT unnest([1, 2, 3])',
  'SELECT 1 -- a remark',
  'SELECT max(bin(bin(name))), arg_max(hex(name), duration_us), quantile_disc(duration_us, 0.9) FROM spans',
  "SELECT service || ' ' || name AS a, hex(trace_id) AS b, upper(kind::VARCHAR) AS c FROM spans",
  'SELECT sum(duration_us + start_us - 1) AS a, min(duration_us + 1) AS b, [service, name] AS c FROM spans GROUP BY ALL',
  "SELECT strftime(make_timestamp(start_us), '%H:%M') AS at, concat_ws('-', service, name) AS a FROM spans",
  'WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t WHERE x < 9) FROM t',
  "SELECT replace(regexp_replace(name, '[0-9]+', '<number>', 'g'), 'POST ', '') FROM spans",
])('answers: %s', async (sql) => {
  expect((await store.readOnlySql(sql)).columns.length).toBeGreaterThan(0);
});

test.each([
  ["COPY spans TO '/tmp/rushlight-escape.csv'", 'one SELECT'],
  ["COPY (SELECT 1) TO '/dev/stdout'", 'one SELECT'],
  ["ATTACH '/tmp/rushlight-escape.duckdb'", 'one SELECT'],
  ['DETACH telemetry', 'one SELECT'],
  ["EXPORT DATABASE '/tmp/rushlight-escape'", 'one SELECT'],
  ["IMPORT DATABASE '/tmp/rushlight-escape'", 'one SELECT'],
  ['INSTALL httpfs', 'one SELECT'],
  ['LOAD httpfs', 'one SELECT'],
  ['PRAGMA database_list', 'one SELECT'],
  ['SET enable_external_access = true', 'one SELECT'],
  ['RESET lock_configuration', 'one SELECT'],
  ['CALL pragma_version()', 'one SELECT'],
  ['CHECKPOINT', 'one SELECT'],
  ['BEGIN', 'one SELECT'],
  ['COMMIT', 'one SELECT'],
  ['PREPARE p AS SELECT 1', 'one SELECT'],
  ['EXECUTE p', 'one SELECT'],
  ['CREATE TABLE t AS SELECT 1', 'one SELECT'],
  ['CREATE MACRO f() AS 1', 'one SELECT'],
  ['DROP TABLE spans', 'one SELECT'],
  ['DELETE FROM spans', 'one SELECT'],
  ['INSERT INTO spans FROM spans', 'one SELECT'],
  ['UPDATE spans SET name = 1', 'one SELECT'],
  ['WITH x AS (DELETE FROM spans RETURNING *) FROM x', 'one SELECT'],
  ['EXPLAIN ANALYZE SELECT 1', 'one SELECT'],
  ['USE temp', 'one SELECT'],
  ['', 'exactly one SELECT'],
  ['SELECT 1; SELECT 2', 'exactly one SELECT'],
  ['SELECT 1; DELETE FROM spans', 'one SELECT'],
  ['SELECT 1) AS a; DELETE FROM spans; SELECT * FROM (SELECT 1', 'one SELECT'],
  ['SELECT 1 /*', 'one SELECT'],
  ['SELEC 1', 'one SELECT'],
  ["SELECT * FROM read_csv('/etc/passwd')", 'read_csv'],
  ["SELECT * FROM read_text('/etc/passwd')", 'read_text'],
  ["SELECT * FROM read_blob('/etc/*')", 'read_blob'],
  ["SELECT * FROM read_json('https://example.org/a.json')", 'read_json'],
  ["SELECT * FROM parquet_scan('a.parquet')", 'parquet_scan'],
  ["SELECT * FROM glob('/*')", 'glob'],
  ["SELECT * FROM sniff_csv('/etc/passwd')", 'sniff_csv'],
  ["FROM '/etc/passwd'", 'no table'],
  ["FROM 'https://example.org/a.csv'", 'no table'],
  ['SELECT (SELECT count(*) FROM "/etc/passwd")', 'no table'],
  ['FROM duckdb_settings()', 'duckdb_settings'],
  ['FROM duckdb_secrets()', 'duckdb_secrets'],
  ['FROM duckdb_databases', 'no table'],
  ['FROM information_schema.tables', 'no table'],
  ['FROM pg_catalog.pg_class', 'no table'],
  ['FROM sqlite_master', 'no table'],
  ['FROM about', 'no table'],
  ['FROM temp.anything', 'no table'],
  ['WITH a AS (WITH duckdb_settings AS (SELECT 1) SELECT 1) FROM duckdb_settings', 'of the system'],
  ["FROM query('DELETE FROM spans')", 'query'],
  ["FROM query_table('spans')", 'query_table'],
  ["FROM force_checkpoint('telemetry')", 'force_checkpoint'],
  ['FROM pragma_database_size()', 'pragma_database_size'],
  ['SHOW TABLES', 'SHOW'],
  ['SHOW DATABASES', 'SHOW'],
  ["SELECT current_setting('temp_directory')", 'current_setting'],
  ["SELECT getenv('HOME')", 'getenv'],
  ["SELECT ('x').repeat(1000000000)", 'repeat'],
  ["SELECT lpad('x', 1000000000, 'y')", 'lpad'],
  ['SELECT len(range(1000000000))', 'range'],
  ['SELECT list_reduce([1], lambda x, y: x)', 'list_reduce'],
  ["SELECT nextval('s')", 'nextval'],
  ['SELECT $1', 'parameter'],
  ['SELECT ?', 'parameter'],
  ['SELECT nothing FROM spans', 'nothing'],
  ['SELECT error(name) FROM spans', 'POST /orders'],
  [`SELECT '${'x'.repeat(20_000)}'`, 'characters'],
  ["SELECT bitstring('1', 2000000000)", 'The function bitstring is not allowed here'],
  [`SELECT replace(name, 'a', '${'b'.repeat(65)}') FROM spans`, '65 times as long; 64 times'],
  [`SELECT length(${'hex('.repeat(28)}'aaaaaaaa'${')'.repeat(28)})`, '134217728 times as long'],
  [`SELECT ${'bin('.repeat(3)}name${')'.repeat(3)} FROM spans`, '512 times as long'],
  [`SELECT ${'to_base64('.repeat(7)}name::BLOB${')'.repeat(7)} FROM spans`, 'times as long'],
  [`SELECT ${'url_encode('.repeat(4)}name${')'.repeat(4)} FROM spans`, '81 times as long'],
  [`SELECT ${'to_json('.repeat(7)}name${')'.repeat(7)} FROM spans`, '128 times as long'],
  [`SELECT 'a' AS c0${doublings((k) => `c${k} || c${k}`)}`, '128 times as long'],
  [`SELECT 'a' AS c0${doublings((k) => `[c${k}]::VARCHAR`)}`, '128 times as long'],
  ['SELECT quantile_disc(hex(hex(hex(name))), [0.1, 0.9]) FROM spans', '128 times as long'],
  [
    `SELECT ${'(SELECT t::VARCHAR FROM (SELECT '.repeat(7)}'"'${' AS y) t)'.repeat(7)}`,
    '128 times as long',
  ],
  ['SELECT max(bin(bin(name)), 2) FROM spans', '128 times as long'],
  ["SELECT 'a'::BLOB::BIT::VARCHAR::BLOB::BIT::VARCHAR", 'times as long'],
  [
    'WITH a AS (SELECT bin(name) AS x FROM spans), b AS (SELECT bin(x) AS x FROM a) SELECT bin(x) FROM b',
    '512 times as long',
  ],
  [
    "WITH RECURSIVE t AS (SELECT 'a' AS x UNION ALL SELECT hex(hex(hex(x))) FROM t) SELECT count(*) FROM t",
    'where it is recursive',
  ],
  ["SELECT list_transform(string_split(name, ''), lambda x: name) FROM spans", 'lambda'],
  ["SELECT [name FOR x IN string_split(name, '')] FROM spans", 'lambda'],
  ["SELECT array_to_string(string_split(name, ''), name) FROM spans", 'must be written out'],
  ["SELECT json_serialize_sql('SELECT 1,1,1')", 'json_serialize_sql'],
  ["SELECT regexp_replace(name, 'a', name, 'g') FROM spans", 'must be written out as a text'],
  [
    "SELECT replace(replace(name, 'a', 'bbbbbbbbbb'), 'b', 'cccccccccc') FROM spans",
    '100 times as long',
  ],
])('refuses: %s', async (sql, reason) => {
  const { SqlRefusedError } = await import('../src/store/face.ts');
  const refused = store.readOnlySql(sql);
  await expect(refused).rejects.toBeInstanceOf(SqlRefusedError);
  await expect(refused).rejects.toThrow(reason);
});

test.each([
  ['parentheses', `SELECT ${'('.repeat(4_000)}1${')'.repeat(4_000)}`],
  ['sums', `SELECT ${'1+('.repeat(2_400)}1${')'.repeat(2_400)}`],
  ['negations', `SELECT ${'NOT '.repeat(2_400)}true`],
  ['questions', `${'SELECT('.repeat(1_200)}1${')'.repeat(1_200)}`],
  ['tables', `${'FROM('.repeat(1_600)}FROM spans${')'.repeat(1_600)}`],
  ['lists', `SELECT ${'['.repeat(4_000)}${']'.repeat(4_000)}`],
  ['cases', `SELECT ${'CASE WHEN '.repeat(400)}true${' THEN true END'.repeat(400)}`],
  ['unions', `SELECT 1${' UNION SELECT 1'.repeat(650)}`],
])('survives what is nested deeply: %s', async (_, sql) => {
  await store.readOnlySql(sql, { durationMsMax: 2_000 }).catch(() => undefined);
  expect((await store.readOnlySql('SELECT 1')).rows).toEqual([[1]]);
});

test.each([
  'WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t',
  'SELECT count(*) FROM spans a, spans b, spans c, spans d WHERE a.duration_us + b.duration_us + c.duration_us + d.duration_us < 0',
  'SELECT count(*) FROM range(100000000000)',
])('ends at the limit of time: %s', async (sql) => {
  await expect(store.readOnlySql(sql, { durationMsMax: 300 })).rejects.toThrow(
    'longer than 300 ms',
  );
});

test('a question is given up when who asked has gone', async () => {
  const leaving = new AbortController();
  const asked = store.readOnlySql('SELECT count(*) FROM range(100000000000)', {
    signal: leaving.signal,
  });
  leaving.abort(new Error('gone'));
  await expect(asked).rejects.toThrow('gone');
});

test('a huge answer is cut: by rows, and each long text', async () => {
  const answer = await store.readOnlySql('SELECT * FROM spans', { rowsMax: 10 });
  expect([answer.rows.length, answer.truncated]).toEqual([10, true]);
  const endless = await store.readOnlySql('SELECT range FROM range(100000000000)');
  expect([endless.rows.length, endless.truncated]).toEqual([1_000, true]);
  const long = await store.readOnlySql('SELECT line FROM logs');
  expect(String(long.rows[0]?.[0]).length).toBe(16_384);
});

test('what needs too much memory is refused, and the store goes on', async () => {
  const hungry = `SELECT count(DISTINCT a.span_id || b.span_id || c.span_id)
    FROM spans a, spans b, spans c`;
  await expect(store.readOnlySql(hungry, { durationMsMax: 3_000 })).rejects.toThrow(
    /memory|longer than/,
  );
  store.intake.samples([sample({ name: 'after', atMs: noonMs })]);
  await store.flush();
  expect((await store.readOnlySql("SELECT value FROM metrics WHERE name = 'after'")).rows).toEqual([
    [1],
  ]);
});

test('our own questions cannot write either', async () => {
  await expect(store.rows('DELETE FROM spans')).rejects.toThrow('read-only');
  await expect(store.rows("SELECT * FROM read_csv('/etc/passwd')")).rejects.toThrow('disabled');
  await expect(store.rows('FROM spans', [], { rowsMax: 10 })).rejects.toThrow('more than 10 rows');
});
