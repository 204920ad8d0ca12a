import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n')
  .filter((path) => /^(chassis|services\/\w+)\/src\/.+\.ts$/.test(path))
  .filter((path) => !path.startsWith('chassis/src/testing/'));

/** Lines that match, as `file: line`, outside the files that are allowed to. */
function uses(pattern: RegExp, allowed: readonly string[]): string[] {
  return sources
    .filter((path) => !allowed.includes(path))
    .flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && pattern.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
}

test('the rules see the sources', () => {
  expect(sources).toEqual(
    expect.arrayContaining(['chassis/src/environment.ts', 'services/orders/src/place-order.ts']),
  );
});

test('services know no clock, dice or ids but the Environment', () => {
  const pattern = /Date\.now\(|Math\.random\(|performance\.now\(|randomUUID\(|new Date\(\)/;
  const allowed = ['chassis/src/environment.ts', 'chassis/src/http/problems.ts'];
  expect(uses(pattern, allowed)).toEqual([]);
});

test('services set no timers but those of the Environment', () => {
  const allowed = [
    'chassis/src/environment.ts',
    // Timers of the process itself, which has no part in the protocol.
    'chassis/src/service.ts',
    'chassis/src/http/operations.ts',
  ];
  const inServices = uses(/\b(setTimeout|setInterval)\(/, allowed);
  expect(inServices).toEqual([]);
});

test('nothing reads the process environment but the configuration', () => {
  expect(uses(/process\.env\b/, ['chassis/src/config.ts'])).toEqual([]);
});

test('nobody publishes to the bus but the relay', () => {
  const isRelay = (line: string): boolean => line.startsWith('chassis/src/store/relay.ts');
  // A bus around a bus passes on what it is given.
  const found = uses(/\bbus\.publish\(|\.publish\(messages/, ['chassis/src/tracing/traced-bus.ts']);
  expect(found.filter((line) => !isRelay(line))).toEqual([]);
  expect(found.some(isRelay)).toBe(true);
});
