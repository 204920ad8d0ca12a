// The faults that the lab can switch on. Each acts on a process from outside, never in its code.

import { limits } from './limits.ts';
import {
  type EngineName,
  engineNames,
  kindOfPart,
  type ProcessName,
  processNames,
} from './services.ts';

export type FaultSpec = {
  readonly where: 'process';
  readonly summary: string;
  readonly limits: { readonly durationSMax: number };
};

export const faults = {
  kill: {
    where: 'process',
    summary: 'SIGKILL. The launcher starts it again after the duration (0: at once).',
    limits: { durationSMax: limits.faultDurationSMax },
  },
  restart: {
    where: 'process',
    summary:
      'SIGTERM, and a new process when it has ended in good order; of several replicas one after another.',
    limits: { durationSMax: limits.faultDurationSMax },
  },
  stop: {
    where: 'process',
    summary: 'SIGSTOP, and SIGCONT after the duration: alive, and silent.',
    limits: { durationSMax: limits.faultDurationSMax },
  },
} as const satisfies Record<string, FaultSpec>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

/** A part; of a service with several replicas `orders` means all of them, `orders-2` one. */
export type FaultTarget = ProcessName | EngineName | `${ProcessName}-${number}`;

/** The targets by name; not every shop has all of them. */
export const faultTargets: readonly FaultTarget[] = [...processNames, ...engineNames];

export function isFaultTarget(text: string): text is FaultTarget {
  return (faultTargets as readonly string[]).includes(kindOfPart(text));
}
