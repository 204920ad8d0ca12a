// The engines beside Postgres that this shop runs by itself, or where somebody else runs them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from '../data-folder.ts';
import type { PartEvent } from '../part.ts';
import type { Scale } from '../scale.ts';
import type { Secrets } from '../secrets.ts';
import { findEngines, type Ground, type MadeEngine } from './kinds.ts';
import { endOrphanedRabbitmq } from './rabbitmq.ts';
import { endOrphanedRedis } from './redis.ts';

type OwnEngine = 'rabbitmq' | 'redis';

export type Engines = {
  /** Those that we run. */
  readonly own: ReadonlyMap<OwnEngine, MadeEngine>;
  /** Undefined: on Postgres. */
  readonly busUrl: string | undefined;
  /** Undefined: in each process. */
  readonly cacheUrl: string | undefined;
};

/** Which of them this shop runs by itself. */
export function ownEngines({ bus, cache }: Pick<Scale, 'bus' | 'cache'>): OwnEngine[] {
  return [
    ...(bus === 'rabbitmq' ? (['rabbitmq'] as const) : []),
    ...(cache === 'redis' ? (['redis'] as const) : []),
  ];
}

/** Ends what an earlier start left of them; returns their names. */
export async function endOrphanedEngines({ root }: DataFolder): Promise<string[]> {
  const ways = { rabbitmq: endOrphanedRabbitmq, redis: endOrphanedRedis };
  const ended: string[] = [];
  for (const [name, end] of Object.entries(ways)) {
    const folder = join(root, name);
    if (existsSync(folder) && (await end(folder))) ended.push(name);
  }
  return ended;
}

/**
 * Makes them as parts that are not yet started.
 *
 * @throws LaunchError with all that is not installed, before anything was made
 */
export async function makeEngines(options: {
  scale: Pick<Scale, 'bus' | 'cache'>;
  ground: (name: OwnEngine) => Ground & { secrets: Secrets };
  onEvent: (name: OwnEngine, event: PartEvent) => void;
}): Promise<Engines> {
  const { scale, ground, onEvent } = options;
  const own = new Map<OwnEngine, MadeEngine>();
  for (const [name, make] of findEngines(ownEngines(scale))) {
    own.set(name, await make(ground(name), (event) => onEvent(name, event)));
  }
  const { bus, cache } = scale;
  return {
    own,
    busUrl: typeof bus === 'object' ? bus.url : own.get('rabbitmq')?.url,
    cacheUrl: typeof cache === 'object' ? cache.url : own.get('redis')?.url,
  };
}
