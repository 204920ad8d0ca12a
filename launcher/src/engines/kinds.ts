// The engines that this system's packages bring, as parts: found first, then made, each with a password of
// its own, in a folder of its own below the data folder.

import { join } from 'node:path';
import type { EngineName } from '@rushlight/contracts';
import type { DataFolder } from '../data-folder.ts';
import { LaunchError } from '../launch-error.ts';
import type { RotatedLog } from '../logs.ts';
import type { Part, PartEvent } from '../part.ts';
import { ensureCluster } from '../postgres/cluster.ts';
import { superuserUrl } from '../postgres/databases.ts';
import { choosePlace } from '../postgres/place.ts';
import { endOrphanedPostgres, postgresPart } from '../postgres/server.ts';
import type { Secrets } from '../secrets.ts';
import { findDebianPostgres } from './debian-postgres.ts';
import { notInstalled } from './programs.ts';
import { endOrphanedRabbitmq, findRabbitmq, rabbitmqPart, rabbitmqUrl } from './rabbitmq.ts';
import { endOrphanedRedis, findRedis, redisPart, redisUrl } from './redis.ts';

/** The variable that says where an engine is. */
export const urlVariables = {
  rabbitmq: 'RUSHLIGHT_BUS_URL',
  redis: 'RUSHLIGHT_CACHE_URL',
  postgres: 'RUSHLIGHT_POSTGRES_URL',
} as const satisfies Readonly<Record<EngineName, string>>;

/** What an engine is made of: `freePort` gives one that nobody else was given. */
export type Ground = {
  folder: DataFolder;
  freePort(): Promise<number>;
  secrets: Secrets;
  log: RotatedLog;
};
export type MadeEngine = { part: Part; url: string };
export type EngineMaker = (
  ground: Ground,
  onEvent: (event: PartEvent) => void,
) => Promise<MadeEngine>;

/** How each is made. Throws LaunchError where its programs are not installed. */
const engineKinds: Readonly<Record<EngineName, () => EngineMaker>> = {
  rabbitmq: () => {
    const programs = findRabbitmq();
    if (programs === undefined) throw notInstalled('RabbitMQ', 'rabbitmq-server');
    return async ({ folder, freePort, secrets, log }, onEvent) => {
      const own = join(folder.root, 'rabbitmq');
      await endOrphanedRabbitmq(own);
      const password = secrets.roles['rabbitmq'] ?? '';
      const ports = {
        amqp: await freePort(),
        distribution: await freePort(),
        names: await freePort(),
      };
      const part = rabbitmqPart({ programs, folder: own, ports, password, log, onEvent });
      return { part, url: rabbitmqUrl(ports.amqp, password) };
    };
  },
  postgres: () => {
    const native = findDebianPostgres();
    return async ({ folder, freePort, secrets, log }, onEvent) => {
      const port = await freePort();
      const place = choosePlace(folder.postgres, native);
      await endOrphanedPostgres(place);
      await ensureCluster(place, secrets);
      const part = postgresPart({ place, port, secrets, log, onEvent });
      return { part, url: superuserUrl(port, secrets) };
    };
  },
  redis: () => {
    const program = findRedis();
    return async ({ folder, freePort, secrets, log }, onEvent) => {
      const port = await freePort();
      const own = join(folder.root, 'redis');
      await endOrphanedRedis(own);
      const password = secrets.roles['redis'] ?? '';
      const part = redisPart({ program, folder: own, port, password, log, onEvent });
      return { part, url: redisUrl(port, password) };
    };
  },
};

/**
 * How to make each of these.
 *
 * @throws LaunchError with all that is not installed, at once
 */
export function findEngines<Name extends EngineName>(
  names: readonly Name[],
): Map<Name, EngineMaker> {
  const makers = new Map<Name, EngineMaker>();
  const mistakes: string[] = [];
  for (const name of names) {
    try {
      makers.set(name, engineKinds[name]());
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      mistakes.push(error.message);
    }
  }
  if (mistakes.length > 0) throw new LaunchError(mistakes.join('\n'));
  return makers;
}
