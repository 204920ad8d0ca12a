import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Entry, readHistory, startRecorder } from '../src/index.ts';

const patience = { timeout: 20_000, interval: 20 };
let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-test-'));
  file = join(folder, 'history.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const invocation = (call: number): Entry => {
  return { type: 'invoke', op: 'stock', t: call, proc: 'ada', call };
};
const end = (call: number): Entry => {
  return { type: 'ok', op: 'stock', items: [], t: call, proc: 'ada', call };
};

test('what is written is read back, in order', async () => {
  const recorder = startRecorder({ file });
  const entries = Array.from({ length: 5_000 }, (_, call) => [invocation(call), end(call)]).flat();
  for (const entry of entries) recorder.write(entry);
  await recorder.close();
  expect(await readHistory(file)).toEqual(entries);
  expect(() => recorder.write(invocation(1))).toThrow('is closed');
});

test('a long entry is written whole', async () => {
  const recorder = startRecorder({ file });
  const body = 'ü'.repeat(200_000);
  const entry: Entry = {
    ...{ type: 'ok', op: 'place', t: 1, proc: 'ada', call: 1, status: 201, orderId: 'o', body },
  };
  recorder.write(entry);
  recorder.write(invocation(2));
  await recorder.close();
  expect(await readHistory(file)).toEqual([entry, invocation(2)]);
});

test('a writer that is killed has left every invocation that it went on from', async () => {
  const script = fileURLToPath(new URL('./endless-writer.ts', import.meta.url));
  const writer = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const closed = new Promise<void>((resolve) => writer.on('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    writer.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.length > 5_000) resolve();
    });
    writer.on('exit', (code) => reject(new Error(`the writer ended with code ${code}`)));
  });
  writer.kill('SIGKILL');
  await closed;
  const sent = said.split('\n').length - 1;
  expect(sent).toBeGreaterThan(500);
  const invocations = async (): Promise<number[]> => {
    const entries = await readHistory(file);
    return entries.flatMap((entry) => (entry.type === 'invoke' ? entry.call : []));
  };
  const count = async (): Promise<number> => (await invocations()).length;
  await expect.poll(count, patience).toBeGreaterThanOrEqual(sent);
  const found = await invocations();
  expect(found).toEqual(found.map((_, call) => call));
});

test('a recorder that is killed is noticed, and says so by name', async () => {
  const recorder = startRecorder({ file });
  recorder.write(invocation(0));
  process.kill(recorder.pid, 'SIGKILL');
  const complaint = (): string => {
    try {
      recorder.write(invocation(1));
      return '';
    } catch (error) {
      return String(error);
    }
  };
  await expect
    .poll(complaint, patience)
    .toMatch(/\(process \d+\) (took no more|ended with SIGKILL)/);
  await expect(recorder.close()).rejects.toThrow('it has no record');
});

test('a recorder that stands still is noticed', async () => {
  const recorder = startRecorder({ file, waitMsMax: 50 });
  process.kill(recorder.pid, 'SIGSTOP');
  const flood = (): void => {
    for (let call = 0; call < 10_000; call++) recorder.write(invocation(call));
  };
  expect(flood).toThrow(/took nothing for 50 ms/);
  process.kill(recorder.pid, 'SIGKILL');
  await expect(recorder.close()).rejects.toThrow('took nothing');
});

test('two histories never share a file', () => {
  writeFileSync(file, '');
  expect(() => startRecorder({ file })).toThrow('EEXIST');
});

test('only the last line may be torn', async () => {
  const whole = `${JSON.stringify(invocation(1))}\n`;
  writeFileSync(file, `${whole}${whole.slice(0, 20)}`);
  expect(await readHistory(file)).toEqual([invocation(1)]);
  writeFileSync(file, `${whole}${whole.slice(0, 20)}\n${whole}`);
  await expect(readHistory(file)).rejects.toThrow(/:2 is no entry of a history/);
});
