export { findDebianPostgres } from './engines/debian-postgres.ts';
export {
  findRabbitmq,
  type RabbitmqOptions,
  rabbitmqctl,
  rabbitmqPart,
  rabbitmqUrl,
} from './engines/rabbitmq.ts';
export { findRedis } from './engines/redis.ts';
export { LaunchError } from './launch-error.ts';
export { RotatedLog } from './logs.ts';
export type { PartEvent } from './part.ts';
export { startPlatform } from './platform.ts';
export type { PartView, Platform, PlatformOptions } from './platform-types.ts';
export {
  readScale,
  type Scale,
  type ScaleOption,
  scaleOptionNames,
  scaleOptions,
} from './scale.ts';
export { type Servers, startServers } from './servers.ts';
export { type ServiceCommand, serviceCommand } from './service-part.ts';
