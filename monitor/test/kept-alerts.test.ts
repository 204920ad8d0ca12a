import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@rushlight/chassis';
import { expect, onTestFinished, test } from 'vitest';
import { fileKeeper, type KeptState, nothingKept } from '../src/alerting/kept-state.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-alerts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const alert = { labels: { service: 'orders' }, value: 1, annotations: {}, sinceMs: 500 };
const kept: KeptState = {
  atMs: 1_000,
  active: { ServiceDown: [{ ...alert, status: 'firing', firedAtMs: 700 }] },
  memory: { slack: { ServiceDown: { status: 'waiting', firstMs: 700 } } },
  history: [{ ...alert, firedAtMs: 600, resolvedAtMs: 650 }],
  silences: [],
};

test('what is written is read again, from a folder that is made for it', async () => {
  const folder = join(newFolder(), 'alerts');
  const keeper = fileKeeper(folder, silentLog);
  expect(await keeper.read(1_000)).toEqual(nothingKept);
  await keeper.write(kept);
  expect(await fileKeeper(folder, silentLog).read(1_000)).toEqual(kept);
  expect(readdirSync(folder)).toEqual(['alerts.json']);
});

test('a value that JSON does not have comes back as none', async () => {
  const keeper = fileKeeper(newFolder(), silentLog);
  const odd = { ...alert, value: Number.POSITIVE_INFINITY, status: 'pending' } as const;
  await keeper.write({ ...kept, active: { A: [odd] } });
  expect((await keeper.read(1_000)).active['A']?.[0]?.value).toBeNaN();
});

test.each(['{"half":', '[]', '{"atMs":1}', ''])('a file with %s is put aside', async (text) => {
  const folder = newFolder();
  writeFileSync(join(folder, 'alerts.json'), text);
  expect(await fileKeeper(folder, silentLog).read(1_000)).toEqual(nothingKept);
  expect(readFileSync(join(folder, 'alerts.json.unreadable'), 'utf8')).toBe(text);
});

test('a folder that cannot be is an error of the write alone', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  const keeper = fileKeeper(join(folder, 'file'), silentLog);
  expect(await keeper.read(1_000)).toEqual(nothingKept);
  await expect(keeper.write(kept)).rejects.toThrow('EEXIST');
});
