import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerOf, type Response, ResponseParser } from '../src/load/response-parser.ts';

const crlf = (lines: readonly string[]): string => lines.join('\r\n');

type Sent = { status: number; body: string; chunked: boolean; interim: boolean };

const sent = fc.record({
  status: fc.constantFrom(200, 201, 202, 409, 422, 503),
  body: fc.string({ unit: 'grapheme', maxLength: 300 }),
  chunked: fc.boolean(),
  interim: fc.boolean(),
});

function bytesOf({ status, body, chunked, interim }: Sent): Buffer {
  const head = interim ? 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n' : '';
  const start = `${head}HTTP/1.1 ${status} Some Words\r\nX-Kind: a b\r\n`;
  const bytes = Buffer.from(body);
  if (!chunked) return Buffer.from(`${start}Content-Length: ${bytes.length}\r\n\r\n${body}`);
  const middle = Math.floor(bytes.length / 3);
  const parts = [bytes.subarray(0, middle), bytes.subarray(middle)].filter((one) => one.length > 0);
  return Buffer.concat([
    Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n`),
    ...parts.flatMap((part) => [
      Buffer.from(`${part.length.toString(16)};note=1\r\n`),
      part,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\nx-sum: 1\r\n\r\n'),
  ]);
}

test('an answer is read the same however its bytes are cut', () => {
  const cases = fc.tuple(
    fc.array(sent, { minLength: 1, maxLength: 4 }),
    fc.infiniteStream(fc.nat(40)),
  );
  fc.assert(
    fc.property(cases, ([answers, cuts]) => {
      const parser = new ResponseParser();
      const seen: Response[] = [];
      for (const answer of answers) {
        const bytes = bytesOf(answer);
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + (cuts.next().value ?? 0);
          const piece = Buffer.from(bytes.subarray(at, at + size));
          const response = parser.push(piece);
          piece.fill(0); // It was ours.
          if (response) seen.push(response);
          at += size;
        }
        expect(parser.isInside).toBe(false);
      }
      const found = seen.map(({ status, body }) => ({ status, body }));
      expect(found).toEqual(answers.map(({ status, body }) => ({ status, body })));
      expect(headerOf(seen[0]?.head ?? '', 'x-kind')).toBe('a b');
    }),
  );
});

test('an answer without a body is complete with its head', () => {
  const parser = new ResponseParser();
  const response = parser.push(Buffer.from('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'));
  expect(response).toMatchObject({ status: 204, body: '', keepsAlive: false });
});

test.each([
  ['something else', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\nx: y\r\n\r\n'],
  ['two lengths', crlf(['HTTP/1.1 200 OK', 'content-length: 1', 'content-length: 2', '', ''])],
  [
    'a length and chunks',
    crlf(['HTTP/1.1 200 OK', 'content-length: 1', 'transfer-encoding: chunked', '', '']),
  ],
  ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['more than it said', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab'],
  ['a broken chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ['a chunk that is too long', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabcd'],
])('%s is refused', (_, text) => {
  expect(() => new ResponseParser().push(Buffer.from(text))).toThrow();
});

test('a head without an end is refused before it fills the memory', () => {
  const parser = new ResponseParser();
  const piece = Buffer.from(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(2_000)}`);
  expect(() => {
    for (let times = 0; times < 10; times++) parser.push(piece);
  }).toThrow('No end of a head');
});
