// Faults as people write them: FAULT:TARGET@SECOND[:SECONDS], such as kill:orders@15 or
// stop:payments@45:5.

import {
  type FaultName,
  faultNames,
  faults,
  faultTargets,
  isFaultTarget,
} from '@rushlight/contracts';

export type PlannedFault = {
  fault: FaultName;
  /** A part, or `everything`: all parts at the same instant. */
  target: string;
  /** Seconds after the first arrival. */
  atS: number;
  /** 0: over as soon as it has begun. */
  durationS: number;
};

/** All parts at once; only where we hold the processes ourselves. */
export const everything = 'everything';

const stopSDefault = 5;
const pattern = /^([a-z_]+):([a-z]+(?:-\d+)?)@(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?$/;

/** @returns the fault, or a sentence that says what is wrong with it */
export function parseFault(text: string, secondsMax: number): PlannedFault | string {
  const [, name = '', target = '', at = '', duration] = pattern.exec(text) ?? [];
  if (name === '') {
    return `--fault ${text}: write FAULT:TARGET@SECOND[:SECONDS], such as kill:orders@15 or stop:payments@45:5`;
  }
  if (!isFault(name)) return `--fault ${text}: there is no fault ${name}; ${catalogue()}`;
  if (!isFaultTarget(target) && !(name === 'kill' && target === everything)) {
    return `--fault ${text}: there is no target ${target}; ${catalogue()}`;
  }
  const atS = Number(at);
  if (atS > secondsMax) {
    return `--fault ${text}: second ${at} is after the end of the rush, which lasts ${secondsMax} s`;
  }
  const durationS =
    duration === undefined ? (name === 'stop' ? stopSDefault : 0) : Number(duration);
  const { durationSMax } = faults[name].limits;
  if (durationS > durationSMax) {
    return `--fault ${text}: it may last ${durationSMax} s at most, not ${durationS}`;
  }
  if (target === everything && durationS > 0) {
    return `--fault ${text}: everything is killed at one instant; leave out the duration`;
  }
  return { fault: name, target, atS, durationS };
}

/** What there is, in one sentence. */
export function catalogue(): string {
  const names = faultNames.map((name) => `${name} (of ${targetsOf(name).join(', ')})`);
  return `there are ${names.join(' and ')}; orders-2 is one process of several`;
}

function targetsOf(name: FaultName): readonly string[] {
  return name === 'kill' ? [...faultTargets, everything] : faultTargets;
}

function isFault(name: string): name is FaultName {
  return (faultNames as readonly string[]).includes(name);
}
