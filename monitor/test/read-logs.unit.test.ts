import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LogLevel, type LogRecord, logLevels } from '../src/model.ts';
import { LogTemplates, maskValues } from '../src/read/log-templates.ts';

const record = (message: string, more: Partial<LogRecord> = {}): LogRecord => ({
  ...{ atUs: 1_000_000, service: 'orders', instance: 'orders-1', level: 'info' as LogLevel },
  ...{ message, line: message, attributes: {} },
  ...more,
});
const grouped = (messages: readonly string[]) => {
  const templates = new LogTemplates();
  for (const message of messages) templates.add(record(message));
  return templates.groups().map(({ template, count }) => [template, count]);
};

test.each([
  ['took 12.5 ms', 'took <number> ms'],
  ['took 12.5ms', 'took <number>ms'],
  ['order 0195f3a0-7c11-7abc-8def-0123456789ab is late', 'order <id> is late'],
  ['span 00f067aa0ba902b7 ended', 'span <id> ended'],
  ['at 2026-03-01T17:30:00.123Z all was well', 'at <time> all was well'],
  ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED <address>'],
  ["no file '/var/lib/a b.txt' here", 'no file <text> here'],
  ['no file /var/lib/x.txt here', 'no file <path> here'],
  ['GET http://127.0.0.1:3000/api?x=1 failed', 'GET <url> failed'],
  ['worker-17 at 0xdeadbeef1 lost -3', 'worker-<number> at <number> lost <number>'],
  ['item "rice \'n\' beans" is gone', 'item <text> is gone'],
  ["it doesn't work, we don't know", "it doesn't work, we don't know"],
  ['deadline of the feed', 'deadline of the feed'],
])('%s → %s', (text, masked) => {
  expect(maskValues(text)).toBe(masked);
});

test('lines that differ in a word are one template, other lines are not', () => {
  expect(
    grouped([
      'user alice was not found here',
      'user bob was not found here',
      'user carol was not found here',
      'the kitchen closes',
    ]),
  ).toEqual([
    ['user <*> was not found here', 3],
    ['the kitchen closes', 1],
  ]);
});

test('a group tells when, where and with which trace', () => {
  const templates = new LogTemplates();
  const id = templates.add(record('lost 1 order', { atUs: 5, traceId: 'a'.repeat(32) }));
  templates.add(record('lost 2 order', { atUs: 9, service: 'kitchen' }));
  expect(templates.add(record('lost 3 order', { atUs: 7 }))).toBe(id);
  expect(templates.groups()).toMatchObject([
    {
      id,
      count: 3,
      firstAtUs: 5,
      lastAtUs: 9,
      services: ['kitchen', 'orders'],
      example: { message: 'lost 2 order' },
      traceId: 'a'.repeat(32),
    },
  ]);
});

test('counts add up to the lines, and templates stay within their limit', () => {
  const anyLine = fc.record({
    message: fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.lorem({ maxCount: 6 }),
      fc.nat().map((n) => `took ${n} ms`),
    ),
    level: fc.constantFrom<LogLevel>(...logLevels),
    atUs: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 120 }), (lines) => {
      const templates = new LogTemplates({ templatesMax: 20 });
      const ids = lines.map((line) => templates.add(record(line.message, line)));
      const groups = templates.groups();
      expect(groups.length).toBeLessThanOrEqual(20);
      expect(new Set(groups.map(({ id }) => id)).size).toBe(groups.length);
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(lines.length);
      for (const { id, count, firstAtUs, lastAtUs } of groups) {
        expect(ids.filter((one) => one === id)).toHaveLength(count);
        expect(firstAtUs).toBeLessThanOrEqual(lastAtUs);
      }
    }),
  );
});

test('masking takes time in proportion to the text, whatever the text', () => {
  for (const evil of ['a1', '/', '"', "'", '1.', '0x', ':', '-', '`x', 'http://', '1,']) {
    expect(maskValues(evil.repeat(20_000)).length).toBeLessThan(30_000);
  }
});
