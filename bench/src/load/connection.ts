// One keep-alive connection with at most one request on its way. Lean, because it shares the
// machine with whom it measures.

import { connect, type Socket } from 'node:net';
import { wholeAnswer } from './answer.ts';

export class Connection {
  readonly #hostname: string;
  readonly #port: number;
  readonly #answerMsMax: number;
  #socket: Socket | undefined;
  #text = '';
  #sentMs = 0;
  #done: ((status: number) => void) | undefined;

  constructor(url: URL, answerMsMax: number) {
    this.#hostname = url.hostname;
    this.#port = Number(url.port);
    this.#answerMsMax = answerMsMax;
  }

  /** Opens it, so that no order pays for that. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect();
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  }

  /** `done` hears the status of the answer, or 0 when there is none. */
  send(request: string, nowMs: number, done: (status: number) => void): void {
    this.#done = done;
    this.#sentMs = nowMs;
    (this.#socket ?? this.#connect()).write(request, 'latin1');
  }

  /** Gives up on an answer that is too late. */
  check(nowMs: number): void {
    if (this.#done !== undefined && nowMs - this.#sentMs > this.#answerMsMax) {
      this.#socket?.destroy();
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect(this.#port, this.#hostname).setNoDelay().setEncoding('latin1');
    this.#socket = socket;
    this.#text = '';
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#end(0);
    });
    return socket;
  }

  #read(chunk: string): void {
    this.#text = this.#text === '' ? chunk : this.#text + chunk;
    const answer = wholeAnswer(this.#text);
    if (answer === undefined) return;
    this.#text = this.#text.slice(answer.bytes);
    this.#end(answer.status);
  }

  #end(status: number): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(status);
  }
}
