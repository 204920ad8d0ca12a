// The load generator, seen from the benchmark: one process for all runs.

import { forkModule, nextMessage } from '../forked.ts';
import type { CommitOutcome, CommitRun, OrderRun, Outcome } from './plan.ts';

type Told<T> = { type: 'done'; outcome: T } | { type: 'failed'; reason: string };

export type Generator = AsyncDisposable & {
  readonly pid: number;
  orders(run: Omit<OrderRun, 'kind'>): Promise<Outcome>;
  commits(run: Omit<CommitRun, 'kind'>): Promise<CommitOutcome>;
};

const runMsMax = 300_000;

export async function startGenerator(): Promise<Generator> {
  const forked = await forkModule(new URL('process.ts', import.meta.url));
  const { child } = forked;
  const run = async <T>(plan: OrderRun | CommitRun): Promise<T> => {
    child.send(plan);
    const told = await nextMessage<Told<T>>(child, runMsMax);
    if (told.type === 'done') return told.outcome;
    throw new Error(`The load generator failed: ${told.reason}`);
  };
  return {
    pid: child.pid ?? 0,
    orders: (plan) => run({ kind: 'orders', ...plan }),
    commits: (plan) => run({ kind: 'commits', ...plan }),
    [Symbol.asyncDispose]: () => forked[Symbol.asyncDispose](),
  };
}
