// Log files that end: each has a size limit and a few predecessors (`orders.log`, `orders.log.1` …).
//
// G1. Only whole lines are written, so two streams share a file and no line is cut by a rotation.
// G2. Written at once, in the handler of the data: what a process said last is there when it dies.
// G3. A full disk costs log lines and nothing else.

import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export const logLimits = { bytesMax: 10 * 1024 * 1024, filesMax: 5 } as const;

const lineLengthMax = 64 * 1024;
const tailLinesMax = 20;

export class RotatedLog {
  readonly path: string;
  readonly #limits: { bytesMax: number; filesMax: number };
  readonly #tail: string[] = [];
  #file: number | undefined;
  #bytes = 0;

  constructor(path: string, limits: { bytesMax: number; filesMax: number } = logLimits) {
    this.path = path;
    this.#limits = limits;
  }

  /** Takes in a stream to its end. Resolves when all of it is written. */
  follow(stream: Readable): Promise<void> {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    const take = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineLengthMax) {
        lines.push(rest);
        rest = '';
      }
      this.write(lines);
    };
    return new Promise((resolve) => {
      stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
      stream.on('error', () => undefined); // 'close' follows, and there is nothing to read any more.
      stream.once('close', () => {
        take(decoder.end());
        if (rest !== '') this.write([rest]);
        resolve();
      });
    });
  }

  write(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#tail.push(...lines.slice(-tailLinesMax));
    this.#tail.splice(0, Math.max(0, this.#tail.length - tailLinesMax));
    let first = 0;
    while (first < lines.length) first = this.#writeSome(lines, first);
  }

  /** The last lines that were written in this run. */
  tail(): readonly string[] {
    return this.#tail;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** Writes lines up to the limit of the file; returns the index of the first one left. */
  #writeSome(lines: readonly string[], first: number): number {
    try {
      const file = this.#open();
      const sizes = (line: string): number => Buffer.byteLength(line) + 1;
      let bytes = sizes(lines[first] ?? '');
      let next = first + 1;
      while (next < lines.length && this.#bytes + bytes < this.#limits.bytesMax) {
        bytes += sizes(lines[next] ?? '');
        next += 1;
      }
      writeSync(file, `${lines.slice(first, next).join('\n')}\n`);
      this.#bytes += bytes;
      return next;
    } catch {
      return lines.length; // G3
    }
  }

  #open(): number {
    if (this.#file !== undefined && this.#bytes >= this.#limits.bytesMax) this.#rotate();
    if (this.#file === undefined) {
      this.#file = openSync(this.path, 'a', 0o600);
      this.#bytes = fstatSync(this.#file).size;
      if (this.#bytes >= this.#limits.bytesMax) return this.#open();
    }
    return this.#file;
  }

  #rotate(): void {
    this.close();
    this.#bytes = 0;
    for (let age = this.#limits.filesMax - 1; age >= 1; age -= 1) {
      const younger = age === 1 ? this.path : `${this.path}.${age - 1}`;
      if (existsSync(younger)) renameSync(younger, `${this.path}.${age}`);
    }
  }
}
