// A mail server of the tests: it listens really, keeps what it is sent, and can be told to misbehave.

import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type Received = { to: string[]; messageId: string; text: string };

export type MailServer = AsyncDisposable & {
  readonly port: number;
  readonly received: Received[];
  /** Connections that were made so far. */
  connections(): number;
  /** Stops listening and ends every connection. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** How it behaves from now on. */
  behave(behaviour: Behaviour): void;
};

export type Behaviour =
  | { kind: 'takes' }
  /** Refuses recipients, or the message at its end, with this code. */
  | { kind: 'answers'; code: number; to: 'recipient' | 'message' }
  /** Takes the message and never says so. */
  | { kind: 'hangs' }
  /** Hangs up in the middle of the message. */
  | { kind: 'closes' };

class Answer extends Error {
  readonly responseCode: number;

  constructor(responseCode: number) {
    super('no');
    this.responseCode = responseCode;
  }
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let behaviour: Behaviour = { kind: 'takes' };
  let port = 0;
  let server: SMTPServer | undefined;

  const make = (): SMTPServer => {
    const made = new SMTPServer({
      authOptional: true,
      disabledCommands: options.secure || options.key ? [] : ['STARTTLS'],
      closeTimeout: 100,
      logger: false,
      onRcptTo: (_address, _session, callback) => {
        if (behaviour.kind !== 'answers' || behaviour.to !== 'recipient') return callback();
        callback(new Answer(behaviour.code));
      },
      onData: (stream, session, callback) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (behaviour.kind === 'closes') for (const socket of sockets) socket.destroy();
        });
        stream.on('end', () => {
          if (behaviour.kind === 'closes') return;
          const to = session.envelope.rcptTo.map(({ address }) => address);
          const messageId = /^Message-ID: (.+)$/im.exec(text)?.[1]?.trim() ?? '';
          if (behaviour.kind === 'answers') return callback(new Answer(behaviour.code));
          received.push({ to, messageId, text });
          if (behaviour.kind === 'takes') callback();
        });
      },
      ...options,
    });
    made.on('error', () => undefined); // Clients that vanish are what these tests are about.
    made.server.on('connection', (socket: Socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    return made;
  };
  const start = async (): Promise<void> => {
    const made = make();
    server = made;
    await new Promise<void>((resolve, reject) => {
      made.server.once('error', reject);
      made.listen(port, '127.0.0.1', () => resolve());
    });
    port = (made.server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined) return;
    const closed = new Promise<void>((resolve) => void running.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await start();
  return {
    get port() {
      return port;
    },
    received,
    connections: () => connections,
    stop,
    start,
    behave: (next) => {
      behaviour = next;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** For localhost and 127.0.0.1, signed by itself, and known to these tests alone. */
export const testCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUCMvrSkn0AWyVTJGoL/7Q6tZ1SjowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAwMDQ0NloYDzIxMjYxMDI5
MDAwNDQ2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQjVmJ+yZ3YGChcDVcDJz8z7t3Q5kwUqxHkvQIOJEJ1eoyixK5tNrj4
46czXMYMe448/RbQZWZe0E+4KDc2o+Hso28wbTAdBgNVHQ4EFgQUjtvZPW3FEzch
sB5Hz3s9XF4DB4wwHwYDVR0jBBgwFoAUjtvZPW3FEzchsB5Hz3s9XF4DB4wwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAKqfb0jsEP51WRD09yxD5d/DOWnSL7YS+JS78My8JZvFAiEA
nvYPhvsOX9jImyp5KWQKC7faxmYas5ZQ4sgCWjUQPxI=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg81rzfhDd36KXcK57
NjfirDJVI0y8kp41Q2WH5Z8+G/ahRANCAAQjVmJ+yZ3YGChcDVcDJz8z7t3Q5kwU
qxHkvQIOJEJ1eoyixK5tNrj446czXMYMe448/RbQZWZe0E+4KDc2o+Hs
-----END PRIVATE KEY-----
`,
};
