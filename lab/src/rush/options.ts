// The command line and the environment of the rush, read once. Every mistake is told, all at once.

import { readScale, type Scale, scaleOptionNames, scaleOptions } from '@rushlight/launcher';
import { Command, CommanderError, Option } from 'commander';
import { everything, type PlannedFault, parseFault } from './fault-plan.ts';

export type Login = { studentId: string; password: string };

export type RushOptions = {
  meals: number;
  arrivals: number;
  seconds: number;
  items: number;
  seed: number;
  faults: readonly PlannedFault[];
  /** A platform that runs already; otherwise one is started for the rush. */
  url?: string;
  /** How far the one that is started is spread. */
  scale?: Scale;
  admin: Login;
};

export type OptionsReading =
  | { kind: 'options'; options: RushOptions; jsonFile: string | undefined }
  | { kind: 'text'; text: string }
  | { kind: 'mistakes'; mistakes: string[] };

const demoAdmin: Login = { studentId: 'admin', password: 'adminpassword' };

const numbers = {
  meals: { fallback: 1_000, min: 1, max: 1_000_000, what: 'portions to sell' },
  arrivals: { fallback: 5_000, min: 1, max: 1_000_000, what: 'orders that are tried' },
  seconds: { fallback: 60, min: 1, max: 3_600, what: 'over how long they arrive' },
  items: { fallback: 3, min: 1, max: 100, what: 'dishes that the portions are split over' },
  seed: { fallback: 1, min: 0, max: 2 ** 31 - 1, what: 'the same seed, the same crowd' },
} as const;
type NumberName = keyof typeof numbers;
const numberNames = Object.keys(numbers) as NumberName[];

export function readOptions(
  argumentsGiven: readonly string[],
  environment: Record<string, string | undefined>,
): OptionsReading {
  let text = '';
  const command = commandOf((part) => {
    text += part;
  });
  try {
    command.parse([...argumentsGiven], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text };
    return { kind: 'mistakes', mistakes: [error.message.replace(/^error: /, '')] };
  }
  const given = command.opts<Record<string, string> & { fault: string[] }>();
  const mistakes: string[] = [];
  const values = numberNames.map((name) => [name, readNumber(name, given[name], mistakes)]);
  const counts = Object.fromEntries(values) as Record<NumberName, number>;
  const faults = given.fault.flatMap((fault) => {
    const read = parseFault(fault, counts.seconds);
    if (typeof read !== 'string') return [read];
    mistakes.push(read);
    return [];
  });
  if (counts.items > counts.meals) {
    mistakes.push(`--items ${counts.items}: more dishes than there are meals (${counts.meals})`);
  }
  const url = given['url'];
  if (url !== undefined) mistakes.push(...mistakesOfUrl(url, faults));
  const chosen = scaleOptionNames.filter((name) => given[name] !== undefined);
  if (url !== undefined && chosen.length > 0) {
    mistakes.push(`--${chosen[0]}: only without --url, for a platform of our own`);
  }
  const { scale, mistakes: scaleMistakes } = readScale(
    Object.fromEntries(chosen.map((name) => [name, given[name]])),
    environment,
  );
  mistakes.push(...scaleMistakes);
  if (mistakes.length > 0) return { kind: 'mistakes', mistakes };
  const admin = {
    studentId: environment['RUSHLIGHT_RUSH_ADMIN'] ?? demoAdmin.studentId,
    password: environment['RUSHLIGHT_RUSH_ADMIN_PASSWORD'] ?? demoAdmin.password,
  };
  const options = { ...counts, faults, ...(url === undefined ? {} : { url }), scale, admin };
  return { kind: 'options', options, jsonFile: given['json'] };
}

function commandOf(write: (part: string) => void): Command {
  const command = new Command('rush')
    .description('A crowd orders, things break, and an auditor judges what became of it.')
    .usage('[options]   (npm run rush -- [options])');
  for (const name of numberNames) {
    const { what, fallback } = numbers[name];
    command.addOption(new Option(`--${name} <n>`, `${what} (default: ${fallback})`));
  }
  for (const name of scaleOptionNames) {
    const { argument, what } = scaleOptions[name];
    command.addOption(new Option(`--${name} ${argument}`, what));
  }
  return command
    .option(
      '--fault <fault>',
      'FAULT:TARGET@SECOND[:SECONDS], such as kill:orders@15; may be given often',
      (fault: string, before: string[]) => [...before, fault],
      [] as string[],
    )
    .option('--url <url>', 'a platform that runs already, with its lab on')
    .option('--json <file>', 'write the certificate into this file as well')
    .addHelpText(
      'after',
      '\nWith --url the admin logs in as RUSHLIGHT_RUSH_ADMIN with RUSHLIGHT_RUSH_ADMIN_PASSWORD' +
        '\n(default: the demo login). Exit code 0: every invariant held; 1: not; 2: wrong options.',
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined });
}

function readNumber(name: NumberName, text: string | undefined, mistakes: string[]): number {
  const { fallback, min, max } = numbers[name];
  if (text === undefined) return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  mistakes.push(`--${name} ${text}: must be a whole number from ${min} to ${max}`);
  return fallback;
}

function mistakesOfUrl(url: string, faults: readonly PlannedFault[]): string[] {
  const mistakes: string[] = [];
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') {
    mistakes.push(`--url ${url}: must be a URL that begins with http://`);
  }
  if (faults.some(({ target }) => target === everything)) {
    mistakes.push(`--fault kill:${everything}: only without --url, on a platform of our own`);
  }
  return mistakes;
}
