// The settings of each process, as its sources declare them.

import { globSync } from 'node:fs';
import type { ProcessName } from '@rushlight/contracts';
import { read, root } from './compose.ts';

/** Their full names: those of every process, and its own. */
export function settingsOfProcess(name: ProcessName): string[] {
  const folder = name === 'monitor' ? 'monitor' : `services/${name}`;
  const sources = globSync(`${folder}/src/**/*.ts`, { cwd: root }).sort();
  return [...new Set(['chassis/src/service.ts', ...sources].flatMap(settingsIn))];
}

/** The properties of a schema that are variables. */
function settingsIn(path: string): string[] {
  return [...read(path).matchAll(/^ +(RUSHLIGHT_\w+):/gm)].map(([, name = '']) => name);
}
