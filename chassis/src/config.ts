// Configuration, read once, at the door. Every mistake is reported together, by name; what comes
// out is frozen. Nothing else in a service reads the process environment.

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

/** Turns `true` and `false`, and nothing else, into a boolean. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const Base = z.object({
  RUSHLIGHT_SERVICE: z.enum(processNames as [ProcessName, ...ProcessName[]]),
  RUSHLIGHT_INSTANCE: z.string().min(1).max(64).optional(),
  RUSHLIGHT_LISTEN_HOST: z.string().default('127.0.0.1'),
  RUSHLIGHT_LISTEN_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  RUSHLIGHT_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  RUSHLIGHT_PROVIDER_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  RUSHLIGHT_BUS_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  RUSHLIGHT_SERVICE_KEY: json(Jwk.extend({ d: z.string(), kid: z.string() })),
  RUSHLIGHT_SERVICE_KEYS: json(z.object({ keys: z.array(Jwk.extend({ kid: z.string() })) })),
  RUSHLIGHT_SERVICE_URLS: json(
    z.partialRecord(z.enum(processNames as [ProcessName, ...ProcessName[]]), z.url()),
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
  databaseUrl: string | undefined;
  providerDatabaseUrl: string | undefined;
  busUrl: string | undefined;
  serviceKey: z.infer<typeof Base>['RUSHLIGHT_SERVICE_KEY'];
  serviceKeys: z.infer<typeof Base>['RUSHLIGHT_SERVICE_KEYS'];
  serviceUrls: Partial<Record<ProcessName, string>>;
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
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const base = Base.safeParse(given);
  const own = settings.safeParse(given);
  const mistakes = [base, own].flatMap((read) =>
    read.success ? [] : [z.prettifyError(read.error)],
  );
  if (!base.success || !own.success) {
    throw new Error(`The configuration is wrong:\n${mistakes.join('\n')}`);
  }
  const name = base.data.RUSHLIGHT_SERVICE;
  const endpoint = base.data.OTEL_EXPORTER_OTLP_ENDPOINT;
  const headers = base.data.OTEL_EXPORTER_OTLP_HEADERS ?? {};
  const config: ServiceConfig = {
    service: name,
    instance: base.data.RUSHLIGHT_INSTANCE ?? `${name}-1`,
    listenHost: base.data.RUSHLIGHT_LISTEN_HOST,
    listenPort: base.data.RUSHLIGHT_LISTEN_PORT,
    databaseUrl: base.data.RUSHLIGHT_DATABASE_URL,
    providerDatabaseUrl: base.data.RUSHLIGHT_PROVIDER_DATABASE_URL,
    busUrl: base.data.RUSHLIGHT_BUS_URL,
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
