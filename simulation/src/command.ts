// The command line: what was asked for, or one sentence that says what is wrong with it.

import { Command, InvalidArgumentError } from 'commander';
import { type SettingName, type Settings, settingMax } from './settings.ts';

export type Request =
  | {
      kind: 'many';
      seeds: number;
      from: number | undefined;
      state: string | undefined;
      trace: boolean;
    }
  | {
      kind: 'one';
      seed: number;
      trace: boolean;
      settings: Partial<Settings>;
      without: { faults: number[]; orders: number[] };
    };

type Given = {
  seeds: number;
  from?: number;
  seed?: number;
  state?: string;
  trace: boolean;
  set: Partial<Settings>;
  withoutFaults: number[];
  withoutOrders: number[];
};

const seedsDefault = 3_000;
const seedMax = 2 ** 31 - 1;

export function createCommand(act: (request: Request) => Promise<void>): Command {
  const command = new Command('npm run sim --')
    .description('Simulates the order protocol on virtual time; exit 1 on a violation.')
    .option('--seeds <n>', 'how many runs', wholeNumber(1), seedsDefault)
    .option('--from <seed>', 'the first of them (1, or where the state file ends)', wholeNumber(0))
    .option('--state <file>', 'adds the runs up in this file, and goes on where it ends')
    .option('--seed <seed>', 'one run alone', wholeNumber(0))
    .option('--trace', 'tells what happened', false)
    .option(
      '--set <name=value,…>',
      'with --seed: settings in place of those drawn',
      readSettings,
      {},
    )
    .option('--without-faults <n,…>', 'with --seed: leaves planned faults out', numbers, [])
    .option('--without-orders <n,…>', 'with --seed: leaves planned orders out', numbers, []);
  return command.action(async (given: Given) => act(requestOf(given, command)));
}

function requestOf(given: Given, command: Command): Request {
  const { seeds, from, seed, state, trace, set, withoutFaults, withoutOrders } = given;
  if (seed !== undefined) {
    const without = { faults: withoutFaults, orders: withoutOrders };
    return { kind: 'one', seed, trace, settings: set, without };
  }
  const alone = {
    '--set': Object.keys(set),
    '--without-faults': withoutFaults,
    '--without-orders': withoutOrders,
  };
  for (const [name, values] of Object.entries(alone)) {
    if (values.length > 0) command.error(`error: ${name} is for one run: give it with --seed.`);
  }
  return { kind: 'many', seeds, from, state, trace };
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,10}$/.test(text) && value >= least && value <= seedMax) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${seedMax}.`);
  };
}

function numbers(text: string): number[] {
  return text.split(',').map(wholeNumber(0));
}

function readSettings(text: string): Partial<Settings> {
  const settings: Partial<Settings> = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (!Object.hasOwn(settingMax, name)) {
      const names = Object.keys(settingMax).join(', ');
      throw new InvalidArgumentError(`There is no setting ${name}; there are ${names}.`);
    }
    const number = Number(value);
    if (value === '' || !(number >= 0)) {
      throw new InvalidArgumentError(`${name}=${value}: the value must be a number, 0 or more.`);
    }
    settings[name as SettingName] = number;
  }
  return settings;
}
