// Writes a history into a file by way of a process of its own.
//
// C1. When `write` of an invocation returns, it and all before it are in the pipe, in order. So
//     whoever records first and sends then can be killed at any time: what was sent is known. Ends
//     and notices may wait a moment for company; one that is lost counts as unknown.
// C2. A recorder that died, or is not able to keep up, is said at once: a run without a record is void.
// C3. The file is one JSON object a line. Only the last line may be torn.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  createReadStream,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Entry } from './history.ts';

export type RecorderOptions = {
  /** Must not exist: two histories in one file cannot be told apart. */
  file: string;
  /** How long `write` may wait for room in the pipe. */
  waitMsMax?: number;
};

export type Recorder = {
  /** The recorder's own process. */
  pid: number;
  /** @throws Error when the recorder is gone, or does not keep up */
  write(entry: Entry): void;
  /** Resolves when the file is complete and on disk. */
  close(): Promise<void>;
};

const waitMsMaxDefault = 5_000;
const waitingCharactersMax = 32_768;
const closeMsMax = 30_000;

export function startRecorder(options: RecorderOptions): Recorder {
  const { file, waitMsMax = waitMsMaxDefault } = options;
  const { child, pipeFd, pid } = spawnRecorder(file);
  let gone: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => {
      const how = `ended with ${signal ?? `code ${code}`}`;
      gone ??= how;
      resolve(code === 0 ? '' : how);
    });
  });
  const complain = (why: string): Error =>
    new Error(`The recorder of ${file} (process ${pid}) ${why}: end this run, it has no record.`);

  let waiting = '';
  let isFlushing = false;
  const flush = (): void => {
    const bytes = Buffer.from(waiting);
    waiting = '';
    gone ??= writeAll(pipeFd, bytes, waitMsMax);
    if (gone !== undefined) throw complain(gone);
  };
  const flushLater = (): void => {
    isFlushing = false;
    // Whoever writes next, or closes, will hear of a failure.
    if (waiting !== '' && gone === undefined)
      gone = writeAll(pipeFd, Buffer.from(waiting), waitMsMax);
    waiting = '';
  };

  const end = async (): Promise<void> => {
    flushLater();
    closeSync(pipeFd);
    const failed = gone;
    const timer = setTimeout(() => child.kill('SIGKILL'), closeMsMax);
    const why = failed ?? (await exited);
    clearTimeout(timer);
    if (why !== '') throw complain(why);
  };
  let closing: Promise<void> | undefined;

  return {
    pid,
    write: (entry) => {
      if (closing !== undefined) throw complain('is closed');
      if (gone !== undefined) throw complain(gone);
      waiting += `${JSON.stringify(entry)}\n`;
      if (entry.type === 'invoke' || waiting.length > waitingCharactersMax) flush();
      else if (!isFlushing) {
        isFlushing = true;
        setImmediate(flushLater);
      }
    },
    close: () => {
      closing ??= end();
      return closing;
    },
  };
}

/** A named pipe, because only with a file descriptor of one's own a write is done when it returns. */
function spawnRecorder(file: string): { child: ChildProcess; pipeFd: number; pid: number } {
  const script = fileURLToPath(new URL('./recorder-process.ts', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-recorder-'));
  const opened: number[] = [];
  const open = (path: string, flags: number | string): number => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    const readFd = open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const fileFd = open(file, 'wx');
    // A session of its own: what is typed to end the load does not end the record of it.
    const stdio = [readFd, fileFd, 'inherit'] as const;
    const child = spawn(process.execPath, [script], { stdio: [...stdio], detached: true });
    child.on('error', () => undefined);
    // It ends by itself when the pipe does: nobody has to stay alive for it.
    child.unref();
    if (child.pid === undefined) {
      throw new Error(`The recorder of ${file} did not start: is there room for a process?`);
    }
    const pipeFd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    return { child, pipeFd, pid: child.pid };
  } finally {
    for (const fd of opened) closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/** Writes everything, waiting for room. Undefined when done; otherwise what the recorder did. */
function writeAll(fd: number, bytes: Buffer, waitMsMax: number): string | undefined {
  let waitedMs = 0;
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(fd, bytes, sent);
      waitedMs = 0;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return `took no more (${message})`;
      if (waitedMs >= waitMsMax) return `took nothing for ${waitedMs} ms`;
      Atomics.wait(pausing, 0, 0, 1);
      waitedMs += 1;
    }
  }
  return undefined;
}

const pausing = new Int32Array(new SharedArrayBuffer(4));

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
  const start = line.slice(0, 80);
  throw new Error(`${file}:${number} is no entry of a history: ${start}. Record it anew.`);
}

/** Undefined for a line that was not written to its end. */
function parseTorn(line: string): Entry | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
