// The load generator, seen from the benchmark: one process for all runs.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome, Run } from './plan.ts';

type Told = { type: 'done'; outcome: Outcome } | { type: 'failed'; reason: string };

export type Generator = AsyncDisposable & {
  readonly pid: number;
  run(run: Run): Promise<Outcome>;
};

export function startGenerator(): Generator {
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), {
    serialization: 'advanced',
  });
  return {
    pid: child.pid ?? 0,
    run: (run) => ask(child, run),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await gone;
    },
  };
}

function ask(child: ChildProcess, run: Run): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      child.off('message', onMessage);
      reject(new Error(`The load generator ended with ${code}.`));
    };
    const onMessage = (told: Told): void => {
      child.off('exit', onExit);
      if (told.type === 'done') resolve(told.outcome);
      else reject(new Error(`The load generator failed: ${told.reason}`));
    };
    child.once('exit', onExit);
    child.once('message', onMessage);
    child.send(run);
  });
}
