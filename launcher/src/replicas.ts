// Which processes a shop has, what each is called, and where it listens.
//
// N1. A service with one process is one part of its own name; with more, `orders-1`, `orders-2` and so on.
// N2. Every process listens on a port of its own, on which others call it and its metrics are read.
// N3. Several gateways share one listening socket besides, made by us and never closed while we run: the
//     system hands each connection to one of them, and one that waits for them all is not refused.

import net from 'node:net';
import { type ProcessName, processNames, serviceNames } from '@rushlight/contracts';
import { LaunchError } from './launch-error.ts';
import type { Scale } from './scale.ts';

export type Replica = {
  readonly service: ProcessName;
  readonly nth: number;
  /** Its name as a part (N1). */
  readonly part: string;
  /** Its name in logs and metrics. */
  readonly instance: string;
};

/** @param monitor whether there is one */
export function replicasOf({ replicas }: Pick<Scale, 'replicas'>, monitor: boolean): Replica[] {
  const names: readonly ProcessName[] = monitor ? processNames : serviceNames;
  return names.flatMap((service) => {
    const count = service === 'monitor' ? 1 : (replicas[service] ?? 1);
    return Array.from({ length: count }, (_, index) => {
      const instance = `${service}-${index + 1}`;
      return { service, nth: index + 1, part: count === 1 ? service : instance, instance };
    });
  });
}

/** One URL for a service of one process, else a list of them, by service. */
export function urlsOf(
  replicas: readonly Replica[],
  urlOf: (part: string) => string,
): Record<string, string | string[]> {
  const urls: Record<string, string | string[]> = {};
  for (const { service, part } of replicas) {
    const before = urls[service];
    const url = urlOf(part);
    urls[service] = before === undefined ? url : [before, url].flat();
  }
  return urls;
}

/** The socket that several gateways share (N3). */
export type SharedSocket = { readonly fd: number; close(): void };

/** @throws LaunchError where that is not possible */
export function shareSocket(host: string, port: number): SharedSocket {
  if (net.BoundSocket === undefined) {
    throw new LaunchError('Several gateways need Node 26, which npm start brings by itself.');
  }
  try {
    const socket = new net.BoundSocket({ host, port });
    return { fd: socket.fd(), close: () => socket.close() };
  } catch (error) {
    throw new LaunchError(`Cannot listen on ${host}, port ${port}: ${(error as Error).message}`);
  }
}
