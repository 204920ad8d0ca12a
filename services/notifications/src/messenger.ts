// Messages out: what a student is told outside of the page. Mail and SMS stand behind the same
// interface (out/); the file is what a developer and a test can read.

import { appendFile, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamRow } from './store.ts';

export type OutMessage = {
  /** The id of the event behind it: the same message again has the same one. */
  eventId: number;
  studentId: string;
  orderId: string;
  /** The status that the order reached. */
  step: string;
  text: string;
};

export interface Messenger {
  /** Resolves when all are handed over; they may come again after a failure. */
  send(messages: readonly OutMessage[]): Promise<void>;
  /** How many it can take now; as many as there are, where it does not say. */
  room?(): Promise<number>;
}

const worthAMessage: Readonly<Record<string, { subject: string; text: string }>> = {
  ready: {
    subject: 'Your meal is ready',
    text: 'Your meal is ready. Your pick-up number is {pickupNumber}.',
  },
  rejected: {
    subject: 'Your order could not be filled',
    text: 'Your order {pickupNumber} could not be filled ({reason}). Nothing was charged.',
  },
  cancelled: {
    subject: 'Your order was cancelled',
    text: 'Your order {pickupNumber} was cancelled. What was paid comes back.',
  },
};

export const statusesWorthAMessage: readonly string[] = Object.keys(worthAMessage);

/** What a mail about this step is called. */
export function subjectOf(step: string): string {
  return worthAMessage[step]?.subject ?? 'Your order';
}

/** The messages that these events are worth; most are worth none. */
export function messagesOf(rows: readonly StreamRow[]): OutMessage[] {
  return rows.flatMap(({ id, status, studentId, orderId, data }) => {
    const worth = worthAMessage[status ?? ''];
    if (worth === undefined || status === null || studentId === null || orderId === null) return [];
    const values: Record<string, unknown> = JSON.parse(data);
    const fill = (_: string, name: string): string => String(values[name] ?? '');
    const text = worth.text.replace(/\{(\w+)\}/g, fill);
    return [{ eventId: id, studentId, orderId, step: status, text }];
  });
}

const fileBytesMax = 10 * 1024 * 1024;
const filesKept = 3;

/** Writes a line of JSON per message to `messages.jsonl` in the folder; old files are numbered. */
export function createFileMessenger(folder: string): Messenger {
  const file = join(folder, 'messages.jsonl');
  const old = (index: number): string => join(folder, `messages.${index}.jsonl`);

  const makeRoom = async (): Promise<void> => {
    const bytes = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes < fileBytesMax) return;
    for (let index = filesKept - 1; index >= 1; index--) {
      await rename(old(index), old(index + 1)).catch(ignoreMissing);
    }
    await rename(file, old(1));
  };
  let checked = false;
  return {
    send: async (messages) => {
      if (messages.length === 0) return;
      await mkdir(folder, { recursive: true });
      await makeRoom();
      const lines = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
      const start = !checked && (await endsInMidLine(file)) ? '\n' : '';
      await appendFile(file, start + lines);
      checked = true;
    },
  };
}

/** A process that died while it wrote may have left half a line. */
async function endsInMidLine(file: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    if (size === 0) return false;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() !== '\n';
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return false;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
