import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFileMessenger, messagesOf } from '../src/messenger.ts';
import type { StreamRow } from '../src/store.ts';
import { idOf } from './help.ts';

const row = (id: number, status: string, more: object = {}): StreamRow => ({
  ...{ id, kind: 'order', studentId: 'sara', orderId: idOf(`${id}`), status },
  data: JSON.stringify({ pickupNumber: 42, ...more }),
});

async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-messages-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a message is worth sending when a meal is ready and when an order ended', () => {
  const statuses = ['queued', 'paid', 'in_kitchen', 'ready', 'collected', 'rejected', 'cancelled'];
  const sent = messagesOf(statuses.map((status, index) => row(index, status)));
  expect(sent.map(({ eventId }) => statuses[eventId])).toEqual(['ready', 'rejected', 'cancelled']);
  const [rejected] = messagesOf([row(9, 'rejected', { reason: 'sold_out' })]);
  expect(rejected?.text).toContain('42');
  expect(rejected?.text).toContain('sold_out');
});

test('half a line that a killed process left spoils no other', async () => {
  const folder = await folderOfTest();
  const file = join(folder, 'messages.jsonl');
  const send = (id: number) => createFileMessenger(folder).send(messagesOf([row(id, 'ready')]));
  await send(1);
  await appendFile(file, '{"eventId":2,"stud');
  await send(2);
  await send(3);
  const lines = (await readFile(file, 'utf8')).split('\n');
  const whole = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
  expect(whole.map(({ eventId }) => eventId)).toEqual([1, 2, 3]);
  expect(lines).toHaveLength(5);
});

test('the files have a limit: the oldest lines go', async () => {
  const folder = await folderOfTest();
  const messenger = createFileMessenger(folder);
  const long = 'x'.repeat(1024 * 1024);
  for (let id = 0; id < 60; id++) {
    await messenger.send([
      { eventId: id, studentId: 's', orderId: idOf('o'), step: 'ready', text: long },
    ]);
  }
  const names = await readdir(folder);
  expect(names.sort()).toEqual([
    'messages.1.jsonl',
    'messages.2.jsonl',
    'messages.3.jsonl',
    'messages.jsonl',
  ]);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  for (const size of sizes) expect(size).toBeLessThan(12 * 1024 * 1024);
});
