// What each service is told: where things are, who it is, and its own settings.

import { type ServiceEnvironmentName, type ServiceName, serviceNames } from '@rushlight/contracts';
import { type DatabaseWay, databaseEnvironment } from './postgres/databases.ts';
import type { Secrets } from './secrets.ts';
import type { ServiceKeys } from './service-keys.ts';

export type Surroundings = {
  host: string;
  port: number;
  postgresPort: number;
  databaseUrl: DatabaseWay | undefined;
  controlPort: number;
  urls: Readonly<Record<string, string>>;
  keys: ServiceKeys;
  secrets: Secrets;
  lab: boolean;
  folder: string;
};

export function environmentOf(
  name: ServiceName,
  around: Surroundings,
): Partial<Record<ServiceEnvironmentName, string>> {
  const control = `http://127.0.0.1:${around.controlPort}`;
  return {
    RUSHLIGHT_SERVICE: name,
    RUSHLIGHT_INSTANCE: `${name}-1`,
    RUSHLIGHT_LISTEN_HOST: around.host,
    RUSHLIGHT_LISTEN_PORT: String(around.port),
    ...databaseEnvironment(around.postgresPort, around.secrets, name, around.databaseUrl),
    RUSHLIGHT_SERVICE_KEY: around.keys.privateKeys.get(name) ?? '',
    RUSHLIGHT_SERVICE_KEYS: JSON.stringify({ keys: around.keys.publicKeys }),
    RUSHLIGHT_SERVICE_URLS: JSON.stringify(around.urls),
    ...(name === 'gateway' ? { RUSHLIGHT_LAUNCHER_URL: control } : {}),
    RUSHLIGHT_LAB: String(around.lab),
    RUSHLIGHT_DATA: around.folder,
  };
}

const prefixOf = (name: ServiceName): string => `RUSHLIGHT_${name.toUpperCase()}_`;

/** The service whose settings begin like this variable, if there is one. */
export function serviceOfSetting(variable: string): ServiceName | undefined {
  return serviceNames.find((name) => variable.startsWith(prefixOf(name)));
}

/** Of all settings, those for this service: its own, and those that are for everybody. */
export function settingsOf(
  name: ServiceName,
  settings: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const meant = Object.entries(settings).filter(
    ([variable]) => (serviceOfSetting(variable) ?? name) === name,
  );
  return Object.fromEntries(meant);
}
