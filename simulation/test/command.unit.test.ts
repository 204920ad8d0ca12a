import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createCommand, type Request } from '../src/command.ts';
import { emptyTotals, faultsOf, readTotals, writeTotals } from '../src/totals.ts';

async function asked(...given: string[]): Promise<Request> {
  let request: Request | undefined;
  const command = createCommand(async (said) => {
    request = said;
  });
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(given, {
      from: 'user',
    });
  if (!request) throw new Error('nothing was asked');
  return request;
}

const folder = mkdtempSync(join(tmpdir(), 'rushlight-simulation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('without options, three thousand seeds', async () => {
  expect(await asked()).toMatchObject({ kind: 'many', seeds: 3_000, from: undefined });
});

test('one seed with what is left out of it', async () => {
  const request = await asked(
    ...['--seed', '7', '--trace', '--set', 'crashes=0,ackLostRate=0.5'],
    ...['--without-faults', '1,2', '--without-orders', '0'],
  );
  expect(request).toEqual({
    kind: 'one',
    seed: 7,
    trace: true,
    settings: { crashes: 0, ackLostRate: 0.5 },
    without: { faults: [1, 2], orders: [0] },
  });
});

test.each([
  [['--seeds', '0'], 'whole number from 1'],
  [['--seeds', 'many'], 'whole number'],
  [['--seed', '-1'], 'whole number'],
  [['--seed', '1', '--set', 'mood=1'], 'no setting mood'],
  [['--seed', '1', '--set', 'crashes=some'], 'must be a number'],
  [['--set', 'crashes=1'], 'give it with --seed'],
  [['--without-faults', '1'], 'give it with --seed'],
  [['--sed', '1'], 'unknown option'],
])('%s is refused, and says why', async (given, why) => {
  await expect(asked(...given)).rejects.toThrow(why);
});

test('totals are kept and read again', () => {
  const file = join(folder, 'totals.json');
  expect(readTotals(file)).toBeUndefined();
  const totals = { ...emptyTotals(5), seeds: 3, faults: { crash: 2, stop: 1 }, orders: 9 };
  writeTotals(file, totals);
  expect(readTotals(file)).toEqual(totals);
  expect(faultsOf(totals)).toBe(3);
  expect(existsSync(`${file}.new`)).toBe(false);
});

test('a file that holds something else is refused by name', () => {
  const file = join(folder, 'other.json');
  writeFileSync(file, '{"seeds": "all"}');
  expect(() => readTotals(file)).toThrow(`${file} holds no totals`);
});
