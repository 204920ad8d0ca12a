export { LaunchError } from './launch-error.ts';
export type { PartEvent } from './part.ts';
export { startPlatform } from './platform.ts';
export type { PartView, Platform, PlatformOptions } from './platform-types.ts';
export { type ServerName, type Servers, startServers } from './servers.ts';
export { type ServiceCommand, serviceCommand } from './service-part.ts';
