// How far a shop is spread: how many replicas of each service, and which engines it stands on.
//
// G1. A URL says where an engine runs that somebody else keeps; it then needs no further option.
// G2. Without any of this everything is in one Postgres and one process of each service.

import { limits, type ServiceName, serviceNames } from '@rushlight/contracts';
import { z } from 'zod';
import { urlVariables } from './engines/kinds.ts';

export type EngineAt<Kind extends string> = Kind | { url: string };

export type Scale = {
  /** One of each that is not named. */
  replicas: Readonly<Partial<Record<ServiceName, number>>>;
  /** `system`: the programs of this system's packages. The URL is that of a role that may make others. */
  postgres: EngineAt<'embedded' | 'system'>;
  bus: EngineAt<'postgres' | 'rabbitmq'>;
  cache: EngineAt<'memory' | 'redis'>;
};

export const smallScale: Scale = {
  replicas: {},
  postgres: 'embedded',
  bus: 'postgres',
  cache: 'memory',
};

/** The options of a command line, and what they mean. Each exists as a variable, too. */
export const scaleOptions = {
  replicas: {
    argument: '<list>',
    what: `processes of a service, such as gateway=2,orders=2 (${limits.replicasMax} at most)`,
  },
  bus: { argument: '<engine>', what: 'postgres or rabbitmq (default: postgres)' },
  cache: { argument: '<engine>', what: 'memory or redis (default: memory)' },
  postgres: { argument: '<programs>', what: 'embedded or system (default: embedded)' },
} as const;
export type ScaleOption = keyof typeof scaleOptions;
export const scaleOptionNames = Object.keys(scaleOptions) as ScaleOption[];

const choices = {
  bus: ['postgres', 'rabbitmq'],
  cache: ['memory', 'redis'],
  postgres: ['embedded', 'system'],
} as const;

const urls = {
  bus: { variable: urlVariables.rabbitmq, protocol: /^amqps?$/, of: 'amqp:// or amqps://' },
  cache: { variable: urlVariables.redis, protocol: /^rediss?$/, of: 'redis:// or rediss://' },
  postgres: { variable: urlVariables.postgres, protocol: /^postgres(ql)?$/, of: 'postgres://' },
} as const;

export const scaleVariables: readonly string[] = [
  ...scaleOptionNames.map((name) => `RUSHLIGHT_${name.toUpperCase()}`),
  ...Object.values(urls).map(({ variable }) => variable),
];

/**
 * Reads what a person wrote.
 *
 * @param given the options of the command line that were given
 * @returns the scale, and a sentence for each mistake
 */
export function readScale(
  given: Readonly<Partial<Record<ScaleOption, string>>>,
  variables: Readonly<Record<string, string | undefined>>,
): { scale: Scale; mistakes: string[] } {
  const mistakes: string[] = [];
  const textOf = (name: ScaleOption): { text: string; from: string } | undefined => {
    const variable = `RUSHLIGHT_${name.toUpperCase()}`;
    const [option, set] = [given[name], variables[variable]];
    if (option !== undefined) return { text: option, from: `--${name}` };
    return set === undefined || set === '' ? undefined : { text: set, from: variable };
  };
  const engine = <Name extends keyof typeof choices>(
    name: Name,
  ): EngineAt<(typeof choices)[Name][number]> => {
    const { variable, protocol, of } = urls[name];
    const [fallback, further] = choices[name];
    const chosen = textOf(name);
    const url = variables[variable];
    const hasUrl = url !== undefined && url !== '';
    if (chosen && !(choices[name] as readonly string[]).includes(chosen.text)) {
      mistakes.push(`${chosen.from}: must be ${fallback} or ${further}, not "${chosen.text}"`);
    } else if (hasUrl && !z.url({ protocol }).safeParse(url).success) {
      mistakes.push(`${variable}: must be a URL that begins with ${of}`); // It holds a password.
    } else if (hasUrl && chosen !== undefined && name !== 'postgres' && chosen.text === fallback) {
      mistakes.push(`${chosen.from}: ${fallback} does without ${variable}; leave out one of them`);
    }
    return hasUrl ? { url } : ((chosen?.text ?? fallback) as (typeof choices)[Name][number]);
  };
  const list = textOf('replicas');
  const replicas = list === undefined ? {} : readReplicas(list.text, list.from, mistakes);
  const scale = {
    replicas,
    bus: engine('bus'),
    cache: engine('cache'),
    postgres: engine('postgres'),
  };
  return { scale, mistakes };
}

function readReplicas(text: string, from: string, mistakes: string[]): Scale['replicas'] {
  const replicas: Partial<Record<ServiceName, number>> = {};
  for (const entry of text.split(',')) {
    const [, name = '', count = ''] = /^\s*([a-z]+)\s*=\s*(\d{1,3})\s*$/.exec(entry) ?? [];
    const service = serviceNames.find((known) => known === name);
    if (name === '') {
      mistakes.push(`${from}: write SERVICE=COUNT with commas between, not "${entry}"`);
    } else if (service === undefined) {
      mistakes.push(`${from}: there is no service ${name}; there are ${serviceNames.join(', ')}`);
    } else if (service in replicas) {
      mistakes.push(`${from}: ${name} is given twice`);
    } else if (Number(count) < 1 || Number(count) > limits.replicasMax) {
      mistakes.push(`${from}: ${name} must be 1 to ${limits.replicasMax}, not ${count}`);
    } else replicas[service] = Number(count);
  }
  return replicas;
}
