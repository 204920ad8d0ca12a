// Configuration, read once, at the door. Every mistake is reported together, by name; what comes
// out is frozen. Nothing else in a service reads the process environment.
//
// C1. NAME_FILE stands for NAME: what the file holds, without the line end. Both is a mistake.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type ProcessName, processNames } from '@rushlight/contracts';
import { z } from 'zod';

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const Jwk = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() });

/** `key=value,key=value`, values URL-encoded, as OpenTelemetry has it. */
const otlpHeaders = z.string().transform((text, context) => {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  try {
    return Object.fromEntries(pairs.map(readHeader));
  } catch {
    // Not the text itself: it holds secrets.
    context.addIssue({ code: 'custom', message: 'is not key=value,key=value' });
    return z.NEVER;
  }
});

function readHeader(pair: string): [string, string] {
  const [, name = '', value = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=(.*)$/s.exec(pair) ?? [];
  if (name === '') throw new Error('no name');
  return [name.toLowerCase(), decodeURIComponent(value.trim())];
}

const replicasMax = 64;

/** One base URL, or that of each replica: always read as a list. */
const urls = z
  .union([z.url().transform((url) => [url]), z.array(z.url()).min(1).max(replicasMax)])
  .readonly();

/** Turns `true` and `false`, and nothing else, into a boolean. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const Base = z.object({
  RUSHLIGHT_SERVICE: z.enum(processNames as [ProcessName, ...ProcessName[]]),
  RUSHLIGHT_INSTANCE: z.string().min(1).max(64).optional(),
  RUSHLIGHT_LISTEN_HOST: z.string().default('127.0.0.1'),
  RUSHLIGHT_LISTEN_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  RUSHLIGHT_LISTEN_FD: z.coerce.number().int().min(3).max(1_023).optional(),
  RUSHLIGHT_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  RUSHLIGHT_PROVIDER_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  RUSHLIGHT_DATABASE_CONNECTIONS_MAX: z.coerce.number().int().min(2).max(200).default(8),
  RUSHLIGHT_BUS_URL: z.url({ protocol: /^(postgres(ql)?|amqps?)$/ }).optional(),
  RUSHLIGHT_CACHE_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  RUSHLIGHT_SERVICE_KEY: json(Jwk.extend({ d: z.string(), kid: z.string() })),
  RUSHLIGHT_SERVICE_KEYS: json(z.object({ keys: z.array(Jwk.extend({ kid: z.string() })) })),
  RUSHLIGHT_SERVICE_URLS: json(
    z.partialRecord(z.enum(processNames as [ProcessName, ...ProcessName[]]), urls),
  ),
  RUSHLIGHT_LAUNCHER_URL: z.url().optional(),
  RUSHLIGHT_LAB: flag.default(false),
  RUSHLIGHT_DATA: z.string().min(1),
  RUSHLIGHT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .transform((text) => new URL(text))
    .optional(),
  OTEL_EXPORTER_OTLP_HEADERS: otlpHeaders.optional(),
});

export type ServiceConfig = Readonly<{
  service: ProcessName;
  instance: string;
  listenHost: string;
  listenPort: number;
  listenFd: number | undefined;
  databaseUrl: string | undefined;
  providerDatabaseUrl: string | undefined;
  databaseConnectionsMax: number;
  busUrl: string | undefined;
  cacheUrl: string | undefined;
  serviceKey: z.infer<typeof Base>['RUSHLIGHT_SERVICE_KEY'];
  serviceKeys: z.infer<typeof Base>['RUSHLIGHT_SERVICE_KEYS'];
  /** Of each service that is there, the base URLs of its replicas: at least one. */
  serviceUrls: Partial<Record<ProcessName, readonly string[]>>;
  launcherUrl: string | undefined;
  lab: boolean;
  dataFolder: string;
  logLevel: string;
  /** Where telemetry is sent to; undefined: nowhere. */
  otlp: Readonly<{ endpoint: URL; headers: Readonly<Record<string, string>> }> | undefined;
}>;

/**
 * Reads what every service needs, and the settings of this one.
 *
 * @param settings the service's own variables, by their full names
 * @throws Error with a sentence per mistake
 */
export function readConfig<S extends z.ZodObject>(
  settings: S,
  environment: Record<string, string | undefined> = process.env,
): { config: ServiceConfig; settings: z.output<S> } {
  const { given, mistakes } = withFiles(environment);
  const base = Base.safeParse(given);
  const own = settings.safeParse(given);
  for (const read of [base, own]) if (!read.success) mistakes.push(z.prettifyError(read.error));
  if (mistakes.length > 0 || !base.success || !own.success) {
    throw new Error(`The configuration is wrong:\n${mistakes.join('\n')}`);
  }
  const name = base.data.RUSHLIGHT_SERVICE;
  const endpoint = base.data.OTEL_EXPORTER_OTLP_ENDPOINT;
  const headers = base.data.OTEL_EXPORTER_OTLP_HEADERS ?? {};
  const config: ServiceConfig = {
    service: name,
    instance: base.data.RUSHLIGHT_INSTANCE ?? `${name}-${hostname()}`.slice(0, 64),
    listenHost: base.data.RUSHLIGHT_LISTEN_HOST,
    listenPort: base.data.RUSHLIGHT_LISTEN_PORT,
    listenFd: base.data.RUSHLIGHT_LISTEN_FD,
    databaseUrl: base.data.RUSHLIGHT_DATABASE_URL,
    providerDatabaseUrl: base.data.RUSHLIGHT_PROVIDER_DATABASE_URL,
    databaseConnectionsMax: base.data.RUSHLIGHT_DATABASE_CONNECTIONS_MAX,
    busUrl: base.data.RUSHLIGHT_BUS_URL,
    cacheUrl: base.data.RUSHLIGHT_CACHE_URL,
    serviceKey: base.data.RUSHLIGHT_SERVICE_KEY,
    serviceKeys: base.data.RUSHLIGHT_SERVICE_KEYS,
    serviceUrls: base.data.RUSHLIGHT_SERVICE_URLS,
    launcherUrl: base.data.RUSHLIGHT_LAUNCHER_URL,
    lab: base.data.RUSHLIGHT_LAB,
    dataFolder: base.data.RUSHLIGHT_DATA,
    logLevel: base.data.RUSHLIGHT_LOG_LEVEL,
    otlp: endpoint && Object.freeze({ endpoint, headers: Object.freeze(headers) }),
  };
  return { config: Object.freeze(config), settings: own.data };
}

const fileSuffix = '_FILE';
const readFromFiles = /^(RUSHLIGHT_\w+|OTEL_EXPORTER_OTLP_HEADERS)_FILE$/;

/** What is set, by its name; what stands in files is read (C1). */
function withFiles(environment: Record<string, string | undefined>) {
  const set = Object.entries(environment).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  const given = Object.fromEntries(set) as Record<string, string>;
  const mistakes: string[] = [];
  for (const [variable, path] of set) {
    if (path === undefined || !readFromFiles.test(variable)) continue;
    const name = variable.slice(0, -fileSuffix.length);
    delete given[variable];
    if (name in given) {
      mistakes.push(`${name} and ${variable} are both set: set one of them`);
      continue;
    }
    try {
      given[name] = readFileSync(path, 'utf8').trimEnd();
    } catch (error) {
      mistakes.push(`${variable}: ${(error as Error).message}`);
    }
  }
  return { given, mistakes };
}
