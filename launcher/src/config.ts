// The command line, the environment and `.env`, read once. Every mistake is told, all at once.
//
// C1. The command line goes before the environment, the environment before `.env`.
// C2. A variable of ours that nobody knows is a mistake: it is a slip of the pen, not a wish.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import {
  readScale,
  type Scale,
  type ScaleOption,
  scaleOptionNames,
  scaleOptions,
  scaleVariables,
} from './scale.ts';
import { type OtlpTarget, processOfSetting } from './service-environment.ts';

export type LaunchConfig = {
  port: number;
  host: string;
  data: string;
  fresh: boolean;
  lab: boolean;
  scale: Scale;
  /** Where services are to send telemetry to, when it is not our own monitor. */
  otlp: OtlpTarget | undefined;
  /** Settings of services, by their full names. */
  settings: Record<string, string>;
};

export type ConfigReading =
  | { kind: 'config'; config: LaunchConfig }
  /** `--help` or `--version`: the text to print. */
  | { kind: 'text'; text: string }
  | { kind: 'mistakes'; mistakes: string[] };

const prefix = 'RUSHLIGHT_';

const flag = z
  .enum(['true', 'false', '1', '0'], { error: 'must be true or false' })
  .transform((text) => text === 'true' || text === '1');
const portRange = 'must be a whole number from 1 to 65535';
const port = z
  .string()
  .regex(/^\d{1,5}$/, portRange)
  .transform(Number)
  .pipe(z.int().min(1, portRange).max(65_535, portRange));
const host = z.string().regex(/^[\w.:-]+$/, 'must be a host name or an address');
const data = z.string().min(1, 'must be a folder');

const options = { port, host, data, fresh: flag, lab: flag } as const;
type OptionName = keyof typeof options;
const optionNames = Object.keys(options) as OptionName[];

/** 0: any that is free. */
const anyPort = z.string().refine((text) => text === '0' || port.safeParse(text).success, {
  error: 'must be a whole number from 0 to 65535',
});

/** Settings that are for every service, or that are needed before one runs. */
const general: Readonly<Record<string, z.ZodType<unknown, string>>> = {
  RUSHLIGHT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']),
  RUSHLIGHT_METRICS_OPEN: z.enum(['true', 'false']),
  RUSHLIGHT_TRACES_PER_S: z
    .string()
    .refine((text) => /^\d+(\.\d+)?$/.test(text) && Number(text) <= 10_000, {
      error: 'must be a number from 0 to 10000',
    }),
  RUSHLIGHT_DRAIN_MS: z.string().refine((text) => /^\d+$/.test(text) && Number(text) <= 5_000, {
    error: 'must be a whole number of milliseconds from 0 to 5000',
  }),
  RUSHLIGHT_MONITOR_OTLP_PORT: anyPort,
  RUSHLIGHT_MONITOR_PORT: anyPort,
};

// Names of OpenTelemetry, which mean what they mean everywhere.
const otlpEndpoint = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const otlpHeaders = 'OTEL_EXPORTER_OTLP_HEADERS';

const defaults: Record<OptionName, string> = {
  port: '3000',
  host: '127.0.0.1',
  data: '.rushlight',
  fresh: 'false',
  lab: 'true',
};

type Given = { text: string; from: string };

/** Reads everything. Nothing is thrown for what a person wrote; mistakes come back as sentences. */
export function readLaunchConfig(
  argumentsGiven: readonly string[],
  environment: Record<string, string | undefined> = process.env,
  folder: string = process.cwd(),
): ConfigReading {
  const line = readCommandLine(argumentsGiven);
  if (line.text !== undefined) return { kind: 'text', text: line.text };
  const variables = { ...readDotEnv(folder), ...withoutEmpty(environment) };
  const mistakes = [...line.mistakes];
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of optionNames) {
    const { text, from } = line.given[name] ?? fromVariables(name, variables, mistakes);
    const read = options[name].safeParse(text);
    if (read.success) values[name] = read.data;
    else mistakes.push(`${from}: ${read.error.issues[0]?.message ?? 'is wrong'}, not "${text}"`);
  }
  const { scale, mistakes: scaleMistakes } = readScale(line.scale, variables);
  mistakes.push(...scaleMistakes);
  const settings = readSettings(variables, mistakes);
  const otlp = readOtlp(variables, mistakes);
  if (mistakes.length > 0) return { kind: 'mistakes', mistakes };
  const chosen = values as Omit<LaunchConfig, 'settings' | 'otlp' | 'scale'>;
  return { kind: 'config', config: { ...chosen, scale, otlp, settings } };
}

function readOtlp(variables: Record<string, string>, mistakes: string[]): OtlpTarget | undefined {
  const { [otlpEndpoint]: endpoint, [otlpHeaders]: headers } = variables;
  // For programs that send elsewhere by themselves; our own monitor asks for no headers.
  if (endpoint === undefined) return undefined;
  if (!z.url({ protocol: /^https?$/ }).safeParse(endpoint).success) {
    mistakes.push(`${otlpEndpoint}: must be an http or https URL, not "${endpoint}"`);
  }
  if (headers !== undefined && !/^\s*([^\s=,]+\s*=[^,]*(,\s*|$))+$/.test(headers)) {
    mistakes.push(`${otlpHeaders}: must be key=value, with commas between`); // A secret: not told.
  }
  return { endpoint, headers };
}

type CommandLine = {
  text?: string;
  given: Partial<Record<OptionName, Given>>;
  scale: Partial<Record<ScaleOption, string>>;
  mistakes: string[];
};

function readCommandLine(given: readonly string[]): CommandLine {
  let text = '';
  const command = new Command('rushlight')
    .description('Starts the shop, all of it. Ctrl-C stops it.')
    .usage('[options]   (npm start -- [options])')
    .version(version())
    .option('--port <port>', 'the port of the gateway (default: 3000)')
    .option('--host <host>', 'the address to listen on (default: 127.0.0.1)')
    .option('--data <dir>', 'the data folder (default: .rushlight)')
    .option('--fresh', 'forget the data first')
    .option('--no-lab', 'no faults, no demo logins, no crowd')
    .addHelpText('after', `\nThe same as variables, also in .env: ${variableNames().join(', ')}.`)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({
      writeOut: (part) => {
        text += part;
      },
      writeErr: () => undefined,
    });
  for (const name of scaleOptionNames) {
    command.option(`--${name} ${scaleOptions[name].argument}`, scaleOptions[name].what);
  }
  try {
    command.parse([...given], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { text, given: {}, scale: {}, mistakes: [] };
    return { given: {}, scale: {}, mistakes: [error.message.replace(/^error: /, '')] };
  }
  // A word behind an unknown option is its value, not a mistake of its own.
  const unknown = command.args.filter(
    (word, index) => word.startsWith('-') || !command.args[index - 1]?.startsWith('-'),
  );
  const mistakes = unknown.map((word) => `${word}: no such option; see --help`);
  return { given: givenOptions(command), scale: scaleGiven(command), mistakes };
}

function givenOptions(command: Command): Partial<Record<OptionName, Given>> {
  const values = command.opts<Record<string, string | boolean>>();
  const given = optionNames
    .filter((name) => command.getOptionValueSource(name) === 'cli')
    .map((name) => [
      name,
      { text: String(values[name]), from: name === 'lab' ? '--no-lab' : `--${name}` },
    ]);
  return Object.fromEntries(given);
}

function scaleGiven(command: Command): CommandLine['scale'] {
  const values = command.opts<Record<string, string>>();
  const given = scaleOptionNames.filter((name) => values[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, String(values[name])]));
}

function fromVariables(
  name: OptionName,
  variables: Record<string, string>,
  mistakes: string[],
): Given {
  const variable = `${prefix}${name.toUpperCase()}`;
  const text = variables[variable];
  if (name !== 'lab') return { text: text ?? defaults[name], from: variable };
  const noLab = variables[`${prefix}NO_LAB`];
  if (noLab === undefined) return { text: text ?? defaults.lab, from: variable };
  const off = flag.safeParse(noLab);
  if (!off.success) mistakes.push(`${prefix}NO_LAB: must be true or false, not "${noLab}"`);
  else if (text !== undefined) mistakes.push(`${variable} and ${prefix}NO_LAB: give one of them`);
  return { text: String(!(off.data ?? false)), from: `${prefix}NO_LAB` };
}

function variableNames(): string[] {
  const own = optionNames.map((name) => `${prefix}${name.toUpperCase()}`);
  return [...own, `${prefix}NO_LAB`, ...scaleVariables];
}

function readSettings(
  variables: Record<string, string>,
  mistakes: string[],
): Record<string, string> {
  const own = new Set(variableNames());
  const settings: Record<string, string> = {};
  for (const [name, text] of Object.entries(variables)) {
    if (!name.startsWith(prefix) || own.has(name)) continue;
    const schema = Object.hasOwn(general, name) ? general[name] : undefined;
    if (schema === undefined && processOfSetting(name) === undefined) {
      mistakes.push(`${name}: no such variable${nearest(name, [...own, ...Object.keys(general)])}`);
    } else if (schema !== undefined && !schema.safeParse(text).success) {
      mistakes.push(`${name}: ${schema.safeParse(text).error?.issues[0]?.message}, not "${text}"`);
    } else {
      settings[name] = text;
    }
  }
  return settings;
}

/** A known name that differs by a slip or two, as a question. */
function nearest(name: string, known: readonly string[]): string {
  const letters = (text: string): string => [...text].sort().join('');
  const near = known.find(
    (other) => letters(other) === letters(name) || other.startsWith(name) || name.startsWith(other),
  );
  return near === undefined ? '' : `; did you mean ${near}?`;
}

function readDotEnv(folder: string): Record<string, string> {
  try {
    return withoutEmpty(parseEnv(readFileSync(join(folder, '.env'), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

function withoutEmpty(variables: Record<string, string | undefined>): Record<string, string> {
  const set = Object.entries(variables).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(set) as Record<string, string>;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** Whether npm runs us. It may die of a signal without passing it on, so it has to be watched. */
export function isUnderNpm(): boolean {
  return process.env['npm_lifecycle_event'] !== undefined;
}

export function noColorWanted(): string | undefined {
  return process.env['NO_COLOR'];
}
