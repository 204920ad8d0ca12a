// Ports that stay ours: below the range from which the system gives ports to outgoing connections,
// so that a service that is down for a moment finds its port free when it comes back.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LaunchError } from './launch-error.ts';

const portMin = 20_000;
const portMax = 32_000;
const triesMax = 200;

/** Undefined when this port can be listened on, otherwise the system's reason (EADDRINUSE …). */
export function whyNotFree(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** A port that is free now on 127.0.0.1, and not one of these. */
export async function findFreePort(taken: ReadonlySet<number>, host: string): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = randomInt(portMin, portMax);
    if (!taken.has(port) && (await whyNotFree(port, host)) === undefined) return port;
  }
  throw new LaunchError(`No free port between ${portMin} and ${portMax} on ${host}.`);
}

/** Throws LaunchError unless a part can listen there on 127.0.0.1. @param name who says so */
export async function checkSettingsPort(port: number, name: string): Promise<void> {
  const why = await whyNotFree(port, '127.0.0.1');
  if (why === undefined) return;
  const what = why === 'EADDRINUSE' ? 'is taken' : `cannot be listened on: ${why}`;
  throw new LaunchError(`Port ${port} of ${name} ${what}. Choose another one, or 0 for any.`);
}

/** Throws LaunchError, with the way out, unless the gateway can listen there. */
export async function checkGatewayPort(port: number, host: string): Promise<void> {
  const why = await whyNotFree(port, host);
  if (why === undefined) return;
  const other = port < 65_535 ? port + 1 : port - 1;
  const choose = `Choose another one: npm start -- --port ${other} (or RUSHLIGHT_PORT=${other}).`;
  if (why === 'EADDRINUSE') throw new LaunchError(`Port ${port} on ${host} is taken. ${choose}`);
  if (why === 'EACCES') throw new LaunchError(`Port ${port} needs more rights. ${choose}`);
  throw new LaunchError(`Cannot listen on ${host}, port ${port}: ${why}. See --host and --port.`);
}
