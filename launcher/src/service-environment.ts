// What each process is told: where things are, who it is, and its own settings.
//
// V1. The monitor is told no database, and not to send telemetry: it takes in what others send.
// V2. Who has other replicas goes on answering for a moment when told to stop.

import {
  type ProcessName,
  processNames,
  type ServiceEnvironmentName,
  type ServiceName,
} from '@rushlight/contracts';
import type { ServiceKeys } from '@rushlight/setup';
import { type DatabaseWay, databaseEnvironment } from './postgres/databases.ts';
import type { Replica } from './replicas.ts';
import type { Secrets } from './secrets.ts';

export type Surroundings = {
  host: string;
  port: number;
  /** A listening socket that it shares with its other replicas. */
  listenFd: number | undefined;
  /** The Postgres, as a superuser. */
  postgresUrl: string;
  /** Undefined: on Postgres. */
  busUrl: string | undefined;
  /** Undefined: in each process. */
  cacheUrl: string | undefined;
  databaseUrl: DatabaseWay | undefined;
  controlPort: number;
  /** Of each service the URL, or those of its replicas. */
  urls: Readonly<Record<string, string | readonly string[]>>;
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

export function environmentOf({ service: name, instance }: Replica, around: Surroundings): Told {
  const control = `http://127.0.0.1:${around.controlPort}`;
  return {
    RUSHLIGHT_SERVICE: name,
    RUSHLIGHT_INSTANCE: instance,
    RUSHLIGHT_LISTEN_HOST: around.host,
    RUSHLIGHT_LISTEN_PORT: String(around.port),
    ...(around.listenFd === undefined ? {} : { RUSHLIGHT_LISTEN_FD: String(around.listenFd) }),
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
  const { postgresUrl, secrets, busUrl, cacheUrl } = around;
  return {
    ...databaseEnvironment(postgresUrl, secrets, name, around.databaseUrl),
    ...(busUrl === undefined ? {} : { RUSHLIGHT_BUS_URL: busUrl }),
    ...(cacheUrl === undefined ? {} : { RUSHLIGHT_CACHE_URL: cacheUrl }),
    ...(endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    ...(headers === undefined ? {} : { OTEL_EXPORTER_OTLP_HEADERS: headers }),
  };
}

const drainMs = 400;
/** Students use their connections less often than services do. */
const gatewayDrainMs = 2_000;

/** What replicas are set to, unless somebody says otherwise (V2). */
export function settingsOfReplica(name: ProcessName, replicas: number): Record<string, string> {
  const ms = name === 'gateway' ? gatewayDrainMs : drainMs;
  return replicas > 1 ? { RUSHLIGHT_DRAIN_MS: String(ms) } : {};
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
