// `npm run sim`: see command.ts for what may be asked.

import { createCommand, type Request } from './command.ts';
import { type Progress, reportFailure, runMany, sentence, summary } from './many.ts';
import { run } from './run.ts';
import { emptyTotals, readTotals, type Totals, writeTotals } from './totals.ts';

const progressEveryMs = 1_000;
/** Where lines stay, as in the log of a job. */
const logEveryMs = 60_000;
const saveEveryMs = 10_000;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

// Where an error was made is of no use to a simulation, and costs a tenth of it.
Error.stackTraceLimit = process.argv.includes('--trace') ? 20 : 0;

await createCommand(act)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });

async function act(request: Request): Promise<void> {
  if (request.kind === 'one') await runOne(request);
  else await runAll(request);
}

async function runOne(request: Request & { kind: 'one' }): Promise<void> {
  const { seed, trace, settings, without } = request;
  const options = { seed, settings, without };
  const outcome = await run({ ...options, tells: trace });
  for (const line of outcome.story) print(line);
  if (trace) print('');
  const { orders, virtualMs, events, hash, findings } = outcome;
  const time = `${(virtualMs / 1_000).toFixed(1)} virtual seconds`;
  print(`seed ${seed}: ${orders} orders, ${time}, ${events} events, hash ${hash}`);
  for (const finding of findings) print(sentence(finding));
  const again = await run(options);
  if (again.hash !== hash) print(`  run again, its hash is ${again.hash}`);
  if (findings.length > 0 && !trace) print(await reportFailure(outcome, options, run));
  if (findings.length > 0 || again.hash !== hash) process.exitCode = 1;
  else print('nothing is violated');
}

async function runAll({ seeds, from, state, trace }: Request & { kind: 'many' }): Promise<void> {
  const known = state === undefined ? undefined : readTotals(state);
  const first = from ?? known?.nextSeed ?? 1;
  const totals = known ?? emptyTotals(first);
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopped = true;
    });
  }
  const { failing } = await runMany({
    ...{ from: first, seeds, totals, run },
    onProgress: clock(totals, state, first),
    shouldStop: () => stopped,
  });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  print(summary(totals));
  const [worst] = failing;
  if (worst) print(await reportFailure(worst, { seed: worst.seed }, run));
  else if (trace) print(`seeds ${first} to ${totals.nextSeed - 1}: no story to tell`);
  if (failing.length > 0 || totals.failingSeeds.length > 0) process.exitCode = 1;
}

/** Adds up the time, shows how far it is, and keeps the file up to date. */
function clock(
  totals: Totals,
  file: string | undefined,
  first: number,
): (progress: Progress) => void {
  const begun = { wallS: totals.wallS, cpuS: totals.cpuS };
  const startedMs = performance.now();
  let shownMs = startedMs;
  let savedMs = startedMs;
  return ({ ofSeeds }) => {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage();
    totals.wallS = begun.wallS + (nowMs - startedMs) / 1_000;
    totals.cpuS = begun.cpuS + (user + system) / 1e6;
    const done = totals.nextSeed - first;
    const isLast = done >= ofSeeds || totals.failingSeeds.length > 0;
    if (nowMs - shownMs >= (process.stderr.isTTY ? progressEveryMs : logEveryMs)) {
      shownMs = nowMs;
      const [before, after] = process.stderr.isTTY ? ['\r\u001b[K', ''] : ['', '\n'];
      process.stderr.write(`${before}${done} of ${ofSeeds}: ${summary(totals)}${after}`);
    }
    if (file === undefined || (!isLast && nowMs - savedMs < saveEveryMs)) return;
    savedMs = nowMs;
    writeTotals(file, totals);
  };
}
