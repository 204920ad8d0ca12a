// Writes a history into a file by way of a process of its own.
//
// C1. `write` puts the entry into the pipe before it returns, in order, as long as the recorder keeps
//     up. So whoever records first and sends then can be killed at any time: what was sent is known.
// C2. A recorder that died, or fell too far behind, is said at once: a run without a record is void.
// C3. The file is one JSON object a line. Only the last line may be torn.

import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Entry } from './history.ts';

export type RecorderOptions = {
  /** Must not exist: two histories in one file cannot be told apart. */
  file: string;
  /** How much may wait for the recorder before `write` throws. */
  waitingBytesMax?: number;
};

export type Recorder = {
  /** The recorder's own process. */
  pid: number;
  /** @throws Error when the recorder is gone, or too far behind */
  write(entry: Entry): void;
  /** Resolves when the file is complete and on disk. */
  close(): Promise<void>;
};

const waitingBytesMaxDefault = 64 * 1024 * 1024;
const closeMsMax = 30_000;

export function startRecorder(options: RecorderOptions): Recorder {
  const { file, waitingBytesMax = waitingBytesMaxDefault } = options;
  const fd = openSync(file, 'wx');
  const script = fileURLToPath(new URL('./recorder-process.ts', import.meta.url));
  // A session of its own: what is typed to end the load does not end the record of it.
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', fd, 'inherit'],
    detached: true,
  });
  closeSync(fd);
  const { pid, stdin } = child;

  let gone: string | undefined;
  child.on('error', (error) => {
    gone ??= `failed (${error.message})`;
  });
  const exited = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => {
      const how = `ended with ${signal ?? `code ${code}`}`;
      gone ??= how;
      resolve(code === 0 ? '' : how);
    });
  });
  if (pid === undefined || stdin === null) {
    throw new Error(
      `The recorder of ${file} could not be started: is there memory and a process left?`,
    );
  }
  stdin.on('error', (error) => {
    gone ??= `took no more (${error.message})`;
  });
  const complain = (why: string): Error =>
    new Error(`The recorder of ${file} (process ${pid}) ${why}: end this run, it has no record.`);

  return {
    pid,
    write: (entry) => {
      if (gone !== undefined) throw complain(gone);
      stdin.write(`${JSON.stringify(entry)}\n`);
      if (stdin.writableLength > waitingBytesMax) {
        throw complain(`is ${stdin.writableLength} bytes behind, ${waitingBytesMax} are allowed`);
      }
    },
    close: async () => {
      if (gone !== undefined) throw complain(gone);
      stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), closeMsMax);
      const failure = await exited;
      clearTimeout(timer);
      if (failure !== '') throw complain(failure);
    },
  };
}

/** Reads a history back. @throws Error for any line but the last that is not whole */
export async function readHistory(file: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) entries.push(parse(line, file, entries.length + 1));
  }
  const last = rest === '' ? undefined : parseTorn(rest);
  if (last) entries.push(last);
  return entries;
}

function parse(line: string, file: string, number: number): Entry {
  const entry = parseTorn(line);
  if (entry) return entry;
  throw new Error(
    `${file}:${number} is no entry of a history: ${line.slice(0, 80)}. Record it anew.`,
  );
}

/** Undefined for a line that was not written to its end. */
function parseTorn(line: string): Entry | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
