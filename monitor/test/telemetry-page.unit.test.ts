// docs/TELEMETRY.md says nothing that is not so, as far as that can be compared.

import { readFileSync } from 'node:fs';
import { metrics, spanAttributes, traceIdOfOrder } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { receiverLimits } from '../src/otlp/receiver.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/TELEMETRY.md');
const quoted = [...page.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');

test('the trace of the order is the one that follows from its id', () => {
  const [, order = '', trace] = /^order {2}(\S+) +trace {2}(\S+)$/m.exec(page) ?? [];
  expect(trace).toBe(traceIdOfOrder(order));
});

test('metrics and attributes are those that there are', () => {
  const named = quoted.map((text) => text.replace(/\{.*/, ''));
  const counted = named.filter((name) => /^(monitor|trace)_\w+$/.test(name) && name !== 'trace_id');
  expect(counted.length).toBeGreaterThan(4);
  expect(counted.filter((name) => !Object.hasOwn(metrics, name))).toEqual([]);
  const attributes = named.filter((name) =>
    /^(http|db|error|rushlight)\.[a-z.]*[a-z_.]$/.test(name),
  );
  const known = Object.keys(spanAttributes);
  expect(attributes.length).toBeGreaterThan(4);
  expect(attributes.filter((name) => !known.some((one) => one.startsWith(name)))).toEqual([]);
});

test('spans of an order are those that the running shop is tried for', () => {
  const rows = [...page.matchAll(/^\| (\w+) \| (`.*?`) \|/gm)];
  const names = rows.flatMap(([, service = '', cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map((match) => `${service} ${match[1]}`),
  );
  expect(names.length).toBeGreaterThan(12);
  const tried = read('test/system/traces.test.ts');
  expect(names.filter((name) => !tried.includes(`'${name}'`))).toEqual([]);
});

test('bodies may be as large as it says', () => {
  const megabytes = (bytes: number): number => bytes / 1024 ** 2;
  const { bodyBytesMax, inflatedBytesMax } = receiverLimits;
  expect(page).toContain(
    `(${megabytes(bodyBytesMax)} MB, ${megabytes(inflatedBytesMax)} MB unpacked)`,
  );
});
