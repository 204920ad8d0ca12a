// What no well-behaved client sends: bytes, straight into a socket.

import { connect } from 'node:net';

export type RawAnswer = { status: number; head: string; body: string };

export type Exchange = {
  answers: RawAnswer[];
  /** The server closed the connection before the deadline. */
  closed: boolean;
  tookMs: number;
};

/**
 * Sends these bytes and reads until the server closes, or until so many answers came.
 *
 * @param drip sent one by one, with a pause between, after the bytes
 */
export function exchange(
  url: string,
  bytes: string | Uint8Array,
  options: {
    answersMax?: number;
    deadlineMs?: number;
    drip?: { text: string; everyMs: number };
  } = {},
): Promise<Exchange> {
  const { answersMax = 10, deadlineMs = 5_000, drip } = options;
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.setNoDelay();
    let dripper: NodeJS.Timeout | undefined;
    let dripped = 0;
    const finish = (closed: boolean): void => {
      clearTimeout(limit);
      clearInterval(dripper);
      socket.destroy();
      const answers = parseAnswers(Buffer.concat(chunks));
      resolve({ answers, closed, tookMs: performance.now() - startedMs });
    };
    const limit = setTimeout(() => finish(false), deadlineMs);
    socket.on('error', () => undefined);
    socket.once('close', () => finish(true));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (parseAnswers(Buffer.concat(chunks)).length >= answersMax) finish(false);
    });
    socket.once('connect', () => {
      socket.write(bytes);
      if (drip === undefined) return;
      dripper = setInterval(() => {
        socket.write(drip.text[dripped++ % drip.text.length] ?? ' ');
      }, drip.everyMs);
    });
  });
}

/** All whole answers in these bytes; only those with a Content-Length are understood. */
function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const head = rest.subarray(0, end).toString('latin1');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const body = rest.subarray(end + 4, end + 4 + length);
    if (body.length < length) return answers;
    answers.push({ status, head, body: body.toString('utf8') });
    rest = rest.subarray(end + 4 + length);
  }
}

/** A problem document among raw answers, in the shape that `faultOfProblem` reads. */
export function toAnswer({ status, head, body }: RawAnswer) {
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => {
        const at = line.indexOf(':');
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
      }),
  );
  return { status, headers, text: body };
}
