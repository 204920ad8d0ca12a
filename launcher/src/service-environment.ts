// What each process is told: where things are, who it is, and its own settings.
//
// V1. The monitor is told no database, and not to send telemetry: it takes in what others send.

import {
  type ProcessName,
  processNames,
  type ServiceEnvironmentName,
  type ServiceName,
} from '@rushlight/contracts';
import type { ServiceKeys } from '@rushlight/setup';
import { type DatabaseWay, databaseEnvironment } from './postgres/databases.ts';
import type { Secrets } from './secrets.ts';

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
  /** Where services send telemetry to; undefined: nowhere. */
  otlp: OtlpTarget | undefined;
};

/** As the variables of OpenTelemetry have it. */
export type OtlpTarget = { endpoint: string; headers?: string | undefined };

type Told = Partial<Record<ServiceEnvironmentName, string>>;

export function environmentOf(name: ProcessName, around: Surroundings): Told {
  const control = `http://127.0.0.1:${around.controlPort}`;
  return {
    RUSHLIGHT_SERVICE: name,
    RUSHLIGHT_INSTANCE: `${name}-1`,
    RUSHLIGHT_LISTEN_HOST: around.host,
    RUSHLIGHT_LISTEN_PORT: String(around.port),
    ...(name === 'monitor' ? {} : ofServices(name, around)), // V1
    RUSHLIGHT_SERVICE_KEY: around.keys.privateKeys.get(name) ?? '',
    RUSHLIGHT_SERVICE_KEYS: JSON.stringify({ keys: around.keys.publicKeys }),
    RUSHLIGHT_SERVICE_URLS: JSON.stringify(around.urls),
    ...(name === 'gateway' ? { RUSHLIGHT_LAUNCHER_URL: control } : {}),
    RUSHLIGHT_LAB: String(around.lab),
    RUSHLIGHT_DATA: around.folder,
  };
}

function ofServices(name: ServiceName, around: Surroundings): Told {
  const { endpoint, headers } = around.otlp ?? {};
  return {
    ...databaseEnvironment(around.postgresPort, around.secrets, name, around.databaseUrl),
    ...(endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    ...(headers === undefined ? {} : { OTEL_EXPORTER_OTLP_HEADERS: headers }),
  };
}

const prefixOf = (name: ProcessName): string => `RUSHLIGHT_${name.toUpperCase()}_`;

/** The process whose settings begin like this variable, if there is one. */
export function processOfSetting(variable: string): ProcessName | undefined {
  return processNames.find((name) => variable.startsWith(prefixOf(name)));
}

/** Of all settings, those for this process: its own, and those that are for everybody. */
export function settingsOf(
  name: ProcessName,
  settings: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const meant = Object.entries(settings).filter(
    ([variable]) => (processOfSetting(variable) ?? name) === name,
  );
  return Object.fromEntries(meant);
}
