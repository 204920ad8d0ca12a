// A TCP proxy between a client and a server of a test, whose network can be made bad.

import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { realEnvironment as env } from '../environment.ts';

/**
 * `open`: passes everything. `silent`: keeps connections, accepts new ones, passes nothing, as a
 * network does that drops packets. `refusing`: resets what is there and what comes.
 */
export type ProxyMode = 'open' | 'silent' | 'refusing';

export type TcpProxy = {
  port: number;
  /** The same URL, through the proxy. */
  through(url: string): string;
  setMode(mode: ProxyMode): void;
  /** Each chunk is held back for this long, in both directions. */
  setDelayMs(delayMs: number): void;
  /** Resets the connections that are open now. */
  cut(): void;
  connections(): number;
} & AsyncDisposable;

/** Starts a proxy on a free port of 127.0.0.1 to the host and port of this URL. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let mode: ProxyMode = 'open';
  let delayMs = 0;

  const server = createServer((client) => {
    if (mode === 'refusing') return void client.resetAndDestroy();
    const upstream = dial(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      const other = socket === client ? upstream : client;
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('data', (chunk: Buffer) => {
        const pass = (): void => {
          if (mode === 'open' && other.writable) other.write(chunk);
        };
        if (delayMs > 0) env.after(delayMs, pass);
        else pass();
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    through: (url) => {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    setMode: (next) => {
      mode = next;
      if (mode === 'refusing') cut();
    },
    setDelayMs: (next) => {
      delayMs = next;
    },
    cut,
    connections: () => sockets.size / 2,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
