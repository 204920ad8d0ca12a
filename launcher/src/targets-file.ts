// Where this shop's metrics are, as a file that Prometheus and Alloy read by themselves ("file-based
// service discovery"): the ports of a start are free ones, so nobody could write them down before.
//
// F1. Whole or not there, whoever looks meanwhile.
// F2. It goes when the shop stops: a shop that nobody runs is no alert.

import { rmSync } from 'node:fs';
import { writeWhole } from './files.ts';

/** @param urls the base URL of every process that has `/metrics`, by its name */
export function writeTargets(path: string, urls: Readonly<Record<string, string>>): void {
  const targets = Object.entries(urls).map(([service, url]) => ({
    targets: [new URL(url).host],
    labels: { service, instance: `${service}-1` },
  }));
  writeWhole(path, `${JSON.stringify(targets, undefined, 2)}\n`);
}

export function removeTargets(path: string): void {
  rmSync(path, { force: true });
}
