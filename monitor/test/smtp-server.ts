// The server's side of SMTP (RFC 5321), as far as one mail needs it.

import type { Socket } from 'node:net';

/**
 * Answers a client, and keeps the lines that it sent.
 *
 * @param answerTo another answer to this line, 'hang up', 'say nothing', or undefined for the usual one
 */
export function smtpConversation(
  socket: Socket,
  lines: string[],
  answerTo: (line: string) => string | undefined,
): void {
  let rest = '';
  let isBody = false;
  const usual = (line: string): string | undefined => {
    if (isBody) {
      if (line !== '.') return undefined;
      isBody = false;
      return '250 taken';
    }
    if (line === 'DATA') {
      isBody = true;
      return '354 go on';
    }
    if (line === 'QUIT') return '221 bye';
    return '250 ok';
  };
  socket.on('error', () => undefined);
  socket.setEncoding('utf8');
  socket.write('220 mail.example.org\r\n');
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\r\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      const answer = (isBody ? undefined : answerTo(line)) ?? usual(line);
      if (answer === 'hang up') socket.destroy();
      else if (answer !== undefined && answer !== 'say nothing') socket.write(`${answer}\r\n`);
    }
  });
}
