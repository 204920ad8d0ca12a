// npm run rush. Exit code 0: every invariant held; 1: not, or the rush could not be made; 2: wrong
// options.

import { writeFileSync } from 'node:fs';
import { LaunchError } from '@rushlight/launcher';
import { ApiRefusal } from './api.ts';
import { type RushOptions, readOptions } from './options.ts';
import { createWatcher } from './progress.ts';
import { paintFor, reportOf } from './report.ts';
import { runRush } from './run-rush.ts';

const wrongOptions = 2;
const interrupted = 130;
const paint = paintFor(process.stdout.isTTY, process.env['NO_COLOR']);
process.stdout.on('error', () => undefined); // Whoever read our lines may be gone.

const read = readOptions(process.argv.slice(2), process.env);
if (read.kind === 'text') {
  process.stdout.write(read.text);
} else if (read.kind === 'mistakes') {
  process.stderr.write(`${read.mistakes.join('\n')}\n`);
  process.exitCode = wrongOptions;
} else {
  process.exitCode = await rush(read.options, read.jsonFile);
}
process.exit();

async function rush(options: RushOptions, jsonFile: string | undefined): Promise<number> {
  const { stdout } = process;
  const screen = {
    write: (text: string) => void stdout.write(text),
    isTerminal: stdout.isTTY === true,
    columns: stdout.columns ?? 80,
  };
  const watcher = createWatcher(screen, options.seconds, paint);
  const over = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (!over.signal.aborted) watcher.say(`${name}: stopping`);
      over.abort(new Error('stopped'));
    });
  }
  try {
    const { certificate, deadLetters = 0 } = await runRush(options, watcher, {
      signal: over.signal,
    });
    watcher.say('');
    stdout.write(`${reportOf(certificate, paint)}\n`);
    if (deadLetters > 0) stdout.write(`${deadLetters} messages lie among the dead letters\n`);
    if (jsonFile !== undefined) {
      writeFileSync(jsonFile, `${JSON.stringify(certificate, undefined, 2)}\n`);
    }
    return certificate.ok ? 0 : 1;
  } catch (error) {
    if (over.signal.aborted) return interrupted;
    process.stderr.write(`The rush could not be made: ${wordsOf(error)}\n`);
    return 1;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof LaunchError || error instanceof ApiRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
