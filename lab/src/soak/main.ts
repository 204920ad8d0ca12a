// npm run soak. Exit code 0: every promise was kept in every slice, those of earlier runs included; 1:
// not, or a slice could not be made; 2: wrong options; 130: stopped, and to be resumed.

import { Command, CommanderError } from 'commander';
import { lineOf, summarize } from './report.ts';
import { soak } from './run-soak.ts';
import { readState, type SliceRecord, type SoakState, writeState } from './state.ts';

const wrongOptions = 2;
const interrupted = 130;
const minutesMax = 10_000;
const seedMax = 2 ** 31 - 1;
const admin = { studentId: 'admin', password: 'adminpassword' };

type Options = { minutes: number; seed: number | undefined; state: string };

process.stdout.on('error', () => undefined); // Whoever read our lines may be gone.
const options = readOptions(process.argv.slice(2));
process.exitCode = typeof options === 'number' ? options : await run(options);
process.exit();

async function run({ minutes, seed, state: path }: Options): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const state = openState(path, seed);
  if (typeof state === 'string') {
    process.stderr.write(`${state}\n`);
    return wrongOptions;
  }
  const over = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => over.abort(new Error(name)));
  }
  say(`seed ${state.seed}, ${state.slices.length} slices so far, kept in ${path}`);
  const onSlice = (record: SliceRecord): void => {
    writeState(path, state);
    say(lineOf(record));
  };
  let isWhole = true;
  try {
    await soak(state, { minutes, admin }, { say, onSlice }, over.signal);
  } catch (error) {
    isWhole = over.signal.aborted; // Who stops it in the middle of a slice loses that slice only.
    if (!isWhole) process.stderr.write(`A slice could not be made: ${wordsOf(error)}\n`);
  }
  const { ok, text } = summarize(state);
  say(text);
  if (over.signal.aborted) return interrupted;
  return ok && isWhole ? 0 : 1;
}

/** A sentence instead where the file cannot be gone on with. */
function openState(path: string, seed: number | undefined): SoakState | string {
  try {
    const state = readState(path) ?? { version: 1, seed: seed ?? newSeed(), slices: [] };
    if (seed === undefined || seed === state.seed) {
      writeState(path, state); // Where it cannot be kept, that is said now and not in a minute.
      return state;
    }
    return `--seed ${seed}: ${path} is of seed ${state.seed}. Leave it out, or choose another --state.`;
  } catch (error) {
    return `--state: ${(error as Error).message}`;
  }
}

function readOptions(given: readonly string[]): Options | number {
  const command = new Command('soak')
    .description('Rush after rush with kills and stops of every part, each judged by the auditor.')
    .usage('[options]   (npm run soak -- [options])')
    .option('--minutes <n>', 'how long, earlier runs with the same state included', '60')
    .option('--seed <n>', 'the same seed, the same crowds and faults (default: a new one)')
    .option('--state <file>', 'counts are added up here, and a run goes on from here', 'soak.json')
    .allowExcessArguments(false)
    .exitOverride();
  try {
    command.parse([...given], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : wrongOptions;
  }
  const { minutes, seed, state } = command.opts<{
    minutes: string;
    seed?: string;
    state: string;
  }>();
  const mistakes = [
    ...mistakeOf('--minutes', minutes, 1, minutesMax),
    ...(seed === undefined ? [] : mistakeOf('--seed', seed, 0, seedMax)),
  ];
  if (mistakes.length > 0) {
    process.stderr.write(`${mistakes.join('\n')}\n`);
    return wrongOptions;
  }
  return { minutes: Number(minutes), seed: seed === undefined ? undefined : Number(seed), state };
}

function mistakeOf(name: string, text: string, min: number, max: number): string[] {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return [];
  return [`${name} ${text}: must be a whole number from ${min} to ${max}`];
}

function newSeed(): number {
  return Math.floor(Math.random() * seedMax);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
