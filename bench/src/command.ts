// The command line of the benchmarks. Exit code 0: all ran. 1: one failed. 2: it was called wrongly.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type ServiceName, serviceNames } from '@rushlight/contracts';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { measureCost } from './cost.ts';
import { measureOrders, ordersPlan } from './orders.ts';
import { describeOrders } from './orders-report.ts';
import { describeScale } from './scale/report.ts';
import { measureScale, scalePlan } from './scale/scale.ts';
import { measureTelemetry, telemetryPlan } from './telemetry.ts';

const names = ['orders', 'cost', 'monitor', 'telemetry', 'scale'] as const;
type Name = (typeof names)[number];

type Options = {
  json?: string;
  orders: number;
  warmUp: number;
  items: number;
  concurrency: number;
  rate?: number;
  cpuProf?: ServiceName;
  spans: number;
};

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export async function runCommand(words: readonly string[]): Promise<number> {
  const read = readCommand(words);
  if (typeof read === 'number') return read;
  const { chosen, options } = read;
  const startedAt = new Date().toISOString();
  const results: Record<string, unknown> = {};
  try {
    for (const name of chosen) results[name] = await runOne(name, options);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return 1;
  }
  const machine = { cores: availableParallelism(), platform: process.platform, arch: process.arch };
  const report = { startedAt, endedAt: new Date().toISOString(), machine, ...results };
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
}

async function runOne(name: Name, options: Options): Promise<unknown> {
  switch (name) {
    case 'orders': {
      const result = await measureOrders(ordersPlan, say);
      say(describeOrders(result));
      return result;
    }
    case 'cost':
      return measureCost({ ...options, ratePerS: options.rate, profiled: options.cpuProf }, say);
    case 'telemetry':
      return measureTelemetry(telemetryPlan, say);
    case 'scale': {
      const result = await measureScale(scalePlan, say);
      say(describeScale(result));
      return result;
    }
    case 'monitor': {
      // Only who measures it needs its database in memory.
      const { measureMonitor } = await import('./monitor.ts');
      return measureMonitor(options.spans, say);
    }
  }
}

function readCommand(words: readonly string[]): { chosen: Name[]; options: Options } | number {
  const command = new Command('bench')
    .description('The benchmarks: orders (the default), cost, monitor, telemetry and scale.')
    .usage('[names...] [options]   (npm run bench -- [names...] [options])')
    .argument('[names...]', names.join(' or '), readName)
    .option('--json <file>', 'write the results into this file')
    .option('--orders <n>', 'cost: how many orders', wholeNumber(1, 1_000_000), 6_000)
    .option('--warm-up <n>', 'cost: orders placed before', wholeNumber(0, 1_000_000), 2_000)
    .option('--items <n>', 'cost: how many dishes', wholeNumber(1, 1_000), 19)
    .option('--concurrency <n>', 'cost: orders on their way at once', wholeNumber(1, 4_000), 256)
    .option('--rate <n>', 'cost: arrivals a second instead', wholeNumber(1, 100_000))
    .option('--cpu-prof <service>', 'cost: profile this service', readService)
    .option('--spans <n>', 'monitor: how many spans', wholeNumber(1_000, 10_000_000), 500_000)
    .exitOverride();
  try {
    command.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const chosen = (command.processedArgs[0] as Name[] | undefined) ?? [];
  return { chosen: chosen.length === 0 ? ['orders'] : chosen, options: command.opts<Options>() };
}

function readName(word: string, earlier: Name[] | undefined): Name[] {
  const name = names.find((known) => known === word);
  if (name === undefined) {
    throw new InvalidArgumentError(
      `There is no benchmark "${word}"; there are ${names.join(', ')}.`,
    );
  }
  return [...(earlier ?? []), name];
}

function readService(word: string): ServiceName {
  const name = serviceNames.find((known) => known === word);
  if (name !== undefined) return name;
  throw new InvalidArgumentError(`"${word}" is no service; they are ${serviceNames.join(', ')}.`);
}

function wholeNumber(min: number, max: number): (word: string) => number {
  return (word) => {
    const value = Number(word);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
