// Where this shop's metrics are, as a file that Prometheus and Alloy read by themselves ("file-based
// service discovery"): the ports of a start are free ones, so nobody could write them down before.
//
// F1. Whole or not there, whoever looks meanwhile.
// F2. It goes when the shop stops: a shop that nobody runs is no alert.

import { rmSync } from 'node:fs';
import { writeWhole } from './files.ts';
import type { Replica } from './replicas.ts';

/** @param urlOf the base URL of each process, by the name of its part */
export function writeTargets(
  path: string,
  replicas: readonly Replica[],
  urlOf: (part: string) => string,
): void {
  const targets = replicas.map(({ service, instance, part }) => ({
    targets: [new URL(urlOf(part)).host],
    labels: { service, instance },
  }));
  writeWhole(path, `${JSON.stringify(targets, undefined, 2)}\n`);
}

export function removeTargets(path: string): void {
  rmSync(path, { force: true });
}
