// The faults that the lab can switch on. Each acts on a process from outside, never in its code.

import { limits } from './limits.ts';
import { type ProcessName, partNames } from './services.ts';

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
  stop: {
    where: 'process',
    summary: 'SIGSTOP, and SIGCONT after the duration: alive, and silent.',
    limits: { durationSMax: limits.faultDurationSMax },
  },
} as const satisfies Record<string, FaultSpec>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

export type FaultTarget = ProcessName | 'postgres';
export const faultTargets: readonly FaultTarget[] = partNames;
