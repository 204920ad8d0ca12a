// Reads one HTTP/1.1 answer after another from the bytes of a connection.
//
// P1. An answer ends by its content-length or its chunks. Anything else (no length, both lengths, a
//     broken size, more bytes than it announced) is a mistake of the server, and is said to be one.
// P2. How the bytes were cut into pieces makes no difference.
// P3. The bytes that are given belong to the caller: what is kept is copied.

/** The server did not speak HTTP as we know it. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
}

export type Response = {
  status: number;
  /** Everything before the body, as it came. */
  head: string;
  body: string;
  /** Whether the connection can carry another request. */
  keepsAlive: boolean;
};

const headBytesMax = 65_536;
const bodyBytesMax = 64 * 1_048_576;
const sizeLineBytesMax = 64;
const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);
const lengthPattern = /\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n)/gi;
const chunkedPattern = /\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n/i;
const closePattern = /\r\nconnection:[^\r]*\bclose\b/i;

type Head = { status: number; text: string };
type State =
  | { kind: 'head' }
  | { kind: 'length'; head: Head; missing: number; parts: Buffer[] }
  | { kind: 'chunks'; head: Head; size: number; parts: Buffer[] }
  | { kind: 'trailer'; head: Head; size: number; parts: Buffer[] };

export class ResponseParser {
  #state: State = { kind: 'head' };
  #rest: Buffer = nothing;

  /** Whether an answer has begun and is not complete. */
  get isInside(): boolean {
    return this.#state.kind !== 'head' || this.#rest.length > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns the answer, when these bytes complete it
   * @throws ResponseError P1
   */
  push(bytes: Buffer): Response | undefined {
    let data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = nothing;
    for (;;) {
      const { kind } = this.#state;
      if (kind === 'length') return this.#takeLength(this.#state, data);
      if (kind !== 'head') return this.#takeChunks(this.#state, data);
      const end = data.indexOf(headEnd);
      if (end < 0) return this.#wait(data, headBytesMax, 'a head');
      const text = data.toString('latin1', 0, end + 2);
      data = data.subarray(end + 4);
      const status = statusOf(text);
      if (status >= 200) this.#state = stateAfter({ status, text });
      else if (status === 101) throw new ResponseError('The server changed the protocol');
    }
  }

  #takeLength(state: State & { kind: 'length' }, data: Buffer): Response | undefined {
    if (data.length > state.missing) throw tooMuch(data.subarray(state.missing));
    if (data.length === state.missing) {
      const { parts } = state;
      return this.#complete(
        state.head,
        parts.length === 0 ? data : Buffer.concat([...parts, data]),
      );
    }
    if (data.length > 0) state.parts.push(Buffer.from(data));
    state.missing -= data.length;
    return undefined;
  }

  #takeChunks(state: State & { kind: 'chunks' | 'trailer' }, given: Buffer): Response | undefined {
    let data = given;
    for (;;) {
      const end = data.indexOf(lineEnd);
      if (end < 0) return this.#wait(data, sizeLineBytesMax, 'the size of a chunk');
      if (state.kind === 'trailer') {
        data = data.subarray(end + 2);
        if (end > 0) continue;
        if (data.length > 0) throw tooMuch(data);
        return this.#complete(state.head, Buffer.concat(state.parts));
      }
      const size = chunkSize(data.toString('latin1', 0, end));
      if (size === 0) {
        this.#state = { ...state, kind: 'trailer' };
        return this.#takeChunks(this.#state as State & { kind: 'trailer' }, data.subarray(end + 2));
      }
      const from = end + 2;
      if (data.length < from + size + 2) return this.#wait(data, bodyBytesMax, 'a chunk');
      if (data.indexOf(lineEnd, from + size) !== from + size) {
        throw new ResponseError(`A chunk of ${size} bytes has no end`);
      }
      state.size += size;
      if (state.size > bodyBytesMax) throw tooLarge();
      state.parts.push(Buffer.from(data.subarray(from, from + size)));
      data = data.subarray(from + size + 2);
    }
  }

  #wait(data: Buffer, bytesMax: number, what: string): undefined {
    if (data.length > bytesMax) throw new ResponseError(`No end of ${what} in ${bytesMax} bytes`);
    this.#rest = Buffer.from(data);
  }

  #complete({ status, text }: Head, body: Buffer): Response {
    this.#state = { kind: 'head' };
    const isOld = text.charCodeAt(7) === 0x30; // HTTP/1.0
    return {
      status,
      head: text,
      body: body.length === 0 ? '' : body.toString('utf8'),
      keepsAlive: !isOld && !closePattern.test(text),
    };
  }
}

/** The value of a header in a head, or undefined. */
export function headerOf(head: string, name: string): string | undefined {
  const from = head.toLowerCase().indexOf(`\r\n${name.toLowerCase()}:`);
  if (from < 0) return undefined;
  const begin = from + name.length + 3;
  return head.slice(begin, head.indexOf('\r\n', begin)).trim();
}

function statusOf(head: string): number {
  const status = Number(head.slice(9, 12));
  const isLine = /^HTTP\/1\.[01] [1-5]\d\d[ \r]/.test(head);
  if (!isLine) throw new ResponseError(`Not the start of an answer: ${show(head)}`);
  return status;
}

function stateAfter(head: Head): State {
  const { status, text } = head;
  const isChunked = chunkedPattern.test(text);
  const lengths = [...text.matchAll(lengthPattern)];
  if (status === 204 || status === 304) return { kind: 'length', head, missing: 0, parts: [] };
  if (isChunked && lengths.length === 0) return { kind: 'chunks', head, size: 0, parts: [] };
  const length = lengths[0]?.[1];
  if (isChunked || lengths.length !== 1 || length === undefined) {
    throw new ResponseError(`An answer without one clear length: ${show(text)}`);
  }
  if (Number(length) > bodyBytesMax) throw tooLarge();
  return { kind: 'length', head, missing: Number(length), parts: [] };
}

function chunkSize(line: string): number {
  const [, digits] = /^([0-9a-fA-F]{1,7})[ \t]*(?:;.*)?$/.exec(line) ?? [];
  if (digits === undefined) throw new ResponseError(`Not the size of a chunk: ${show(line)}`);
  return Number.parseInt(digits, 16);
}

function tooMuch(rest: Buffer): ResponseError {
  return new ResponseError(
    `Bytes after the end of an answer: ${show(rest.toString('latin1', 0, 80))}`,
  );
}

function tooLarge(): ResponseError {
  return new ResponseError(`An answer of more than ${bodyBytesMax} bytes`);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
