// A TCP proxy between a client and a server of a test, whose network can be made bad.
//
// T1. What a silent network swallows is sent again when it speaks again, as TCP does: bytes arrive
//     late, whole and in order, and so do the ends of connections. A stream never has a gap.

import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { realEnvironment as env } from '../environment.ts';

/**
 * `open`: passes everything. `silent`: keeps connections, accepts new ones, passes nothing, as a
 * network does that drops packets. `deaf`: nothing reaches the server. `mute`: nothing comes back
 * from it. `refusing`: resets what is there and what comes.
 */
export type ProxyMode = 'open' | 'silent' | 'deaf' | 'mute' | 'refusing';

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

type Flow = { to: Socket; way: 'there' | 'back'; held: Buffer[]; ended: boolean };

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * @param targetUrl its host and port are where the proxy leads to; a function is asked at each
 *   connection
 */
export async function startTcpProxy(targetUrl: string | (() => string)): Promise<TcpProxy> {
  const targetOf = typeof targetUrl === 'string' ? () => targetUrl : targetUrl;
  const sockets = new Set<Socket>();
  const flows = new Set<Flow>();
  let mode: ProxyMode = 'open';
  let delayMs = 0;

  const release = (flow: Flow): void => {
    if (!passes(mode, flow)) return;
    for (const chunk of flow.held.splice(0)) if (flow.to.writable) flow.to.write(chunk);
    if (!flow.ended) return;
    flows.delete(flow);
    flow.to.destroySoon();
  };
  const follow = (from: Socket, to: Socket, way: Flow['way']): void => {
    const flow: Flow = { to, way, held: [], ended: false };
    flows.add(flow);
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('data', (chunk: Buffer) => {
      const pass = (): void => {
        flow.held.push(chunk);
        release(flow);
      };
      if (delayMs > 0) env.after(delayMs, pass);
      else pass();
    });
    from.on('close', () => {
      sockets.delete(from);
      flow.ended = true;
      release(flow);
    });
  };
  const server = createServer((client) => {
    if (mode === 'refusing') return void client.resetAndDestroy();
    const target = new URL(targetOf());
    const upstream = dial(Number(target.port), target.hostname);
    follow(client, upstream, 'there');
    follow(upstream, client, 'back');
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
      for (const flow of [...flows]) release(flow);
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

function passes(mode: ProxyMode, { way }: Flow): boolean {
  switch (mode) {
    case 'open':
    case 'refusing':
      return true;
    case 'silent':
      return false;
    case 'deaf':
      return way === 'back';
    case 'mute':
      return way === 'there';
  }
}
