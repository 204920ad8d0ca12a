// docs/QUERIES.md says nothing that is not so: its examples answer, what it calls refused is refused,
// and its lists are those of the code.

import { readFileSync } from 'node:fs';
import { realEnvironment } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countFunctions, lineAggregations, valueFunctions } from '../src/logql/ast.ts';
import { parseLogql } from '../src/logql/parse.ts';
import { shopLogs, shopScrapes, shopTrace } from '../src/measure/shop-telemetry.ts';
import { aggregations, instantFunctions, rangeFunctions } from '../src/promql/ast.ts';
import { parsePromql } from '../src/promql/parse.ts';
import { createQueryApi, type QueryApi } from '../src/promql/query-api.ts';
import type { TelemetryStore } from '../src/store/face.ts';
import { sqlLimits } from '../src/store/read-only-sql.ts';
import { tables } from '../src/store/schema.ts';
import { openStore, temporaryFolder } from './store-under-test.ts';

const page = readFileSync(new URL('../../docs/QUERIES.md', import.meta.url), 'utf8');
const [, ofPromql = '', ofLogql = '', ofSql = ''] = page.split(/^## (?:PromQL|LogQL|SQL)$/m);

const examples = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)\n\`\`\`$`, 'gms'))].map(
    (match) => match[1] ?? '',
  );

/** The cells of a table's rows, by their first cell. A pipe within a cell is escaped. */
function rowsOf(section: string): [string, string][] {
  return [...section.matchAll(/^\| (.+?) (?<!\\)\| (.+?) \|$/gm)].map((match) => [
    (match[1] ?? '').replaceAll('\\|', '|'),
    match[2] ?? '',
  ]);
}
const cellOf = (section: string, first: string): string =>
  rowsOf(section).find(([cell]) => cell.startsWith(first))?.[1] ?? '';
const namesIn = (cell: string): string[] =>
  [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '').sort();
const refused = (section: string): [string, string][] =>
  rowsOf(section).flatMap(([cell, why]): [string, string][] => {
    const query = /^`(.*)`$/.exec(cell)?.[1];
    return query === undefined || why.startsWith('`') ? [] : [[query, why]];
  });

const folder = temporaryFolder();
let store: TelemetryStore;
let api: QueryApi;
const nowMs = Date.now();

beforeAll(async () => {
  store = await openStore(folder.path, { env: realEnvironment });
  const scrape = shopScrapes();
  const scrapes = 66;
  for (let number = 0; number < scrapes; number += 1) {
    const atMs = nowMs - (scrapes - number) * 10_000;
    store.intake.samples(scrape(number, atMs));
    store.intake.logs(shopLogs(number, atMs * 1_000));
    store.intake.spans(shopTrace(number, atMs * 1_000));
    if (number % 4 === 0) await store.flush();
  }
  await store.flush();
  api = createQueryApi({ series: store.series, logs: store.logs, nowMs: () => nowMs });
}, 150_000);

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe('examples', { timeout: 60_000 }, () => {
  test.each(examples('promql'))('%s', async (query) => {
    const { status, body } = await api.prometheus.query(new URLSearchParams({ query }));
    expect([status, JSON.stringify(body)]).toEqual([200, expect.stringMatching(/"result":\[./)]);
  });

  test.each(examples('logql'))('%s', async (query) => {
    const { status, body } = await api.loki.queryRange(new URLSearchParams({ query }));
    expect([status, JSON.stringify(body)]).toEqual([200, expect.stringMatching(/"result":\[{/)]);
  });

  test.each(examples('sql'))('%s', async (sql) => {
    expect((await store.readOnlySql(sql)).rows).not.toEqual([]);
  });

  test('there are some of each', () => {
    const counts = ['promql', 'logql', 'sql'].map((language) => examples(language).length);
    expect(Math.min(...counts)).toBeGreaterThan(4);
  });
});

describe('refused', () => {
  const ofPage = [refused(ofPromql), refused(ofLogql)];

  test.each(ofPage[0] ?? [])('%s', (query, why) => {
    expect(() => parsePromql(query)).toThrow(why);
  });

  test.each(ofPage[1] ?? [])('%s', (query, why) => {
    expect(() => parseLogql(query)).toThrow(why);
  });

  test('there are some of each', () => {
    expect(ofPage.map(({ length }) => length > 5)).toEqual([true, true]);
  });
});

test.each([
  ['functions of a range', ofPromql, rangeFunctions],
  ['functions of an instant', ofPromql, Object.keys(instantFunctions)],
  ['aggregations', ofPromql, aggregations],
  ['functions of a range', ofLogql, [...countFunctions, 'unwrap', ...valueFunctions]],
  ['aggregations', ofLogql, lineAggregations],
])('%s are those that there are', (first, section, names) => {
  expect(namesIn(cellOf(section, first))).toEqual([...names].sort());
});

test.each(Object.entries(tables))('the table %s has the columns that it has', (name, columns) => {
  expect(namesIn(cellOf(ofSql, `\`${name}\``))).toEqual(Object.keys(columns).sort());
});

test('the limits of SQL are these', () => {
  const { textLengthMax, rowsDefault, columnsMax, cellLengthMax, durationMsMax } = sqlLimits;
  expect(textLengthMax).toBe(limits.queryLengthMax);
  const said = ofSql.replaceAll('\n', ' ');
  expect(said).toContain(
    `${textLengthMax.toLocaleString('en')} characters, ${durationMsMax / 1_000} s, ` +
      `${rowsDefault.toLocaleString('en')} rows, ${columnsMax} columns, ` +
      `texts of ${cellLengthMax.toLocaleString('en')} characters`,
  );
});
