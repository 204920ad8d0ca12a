// Sends the orders of one run with the lab's load client.
//
// L1. Latency counts from when an order was due: in an open run that is its place in the schedule,
//     so a stall of the server, or of ourselves, shows.
// L2. Nothing waits for ever: an arrival that has no answer after `answerMsMax` is unanswered,
//     whether it waits for a connection or for the server.

import { randomUUID } from 'node:crypto';
import {
  closedLoop,
  createLoadClient,
  type Outcome as HttpOutcome,
  type LoadOptions,
  type LoadReport,
  openLoop,
} from '@rushlight/lab';
import pg from 'pg';
import type { CommitOutcome, CommitRun, OrderRun, Outcome, Step } from './plan.ts';

type Due = { atMs: number; step: string; stepEndMs: number; group: string };

export async function runOrders(run: OrderRun): Promise<Outcome> {
  const { pace, tokens, bodies, keyPrefix, path } = run;
  const connectionsMax = pace.kind === 'closed' ? pace.concurrency : pace.connections;
  const client = createLoadClient({ url: run.url, connectionsMax });
  const request = (index: number): Buffer =>
    client.prepare({
      method: 'POST',
      path,
      headers: {
        authorization: `Bearer ${tokens[index % tokens.length]}`,
        'idempotency-key': `${keyPrefix}${index}`,
      },
      body: bodies[index % bodies.length] ?? '',
    });
  const options = { client, request, deadlineMs: run.answerMsMax };
  try {
    if (pace.kind === 'closed') {
      const { concurrency: connections, durationMs, ordersMax = Number.POSITIVE_INFINITY } = pace;
      return told(
        await closedLoop({ ...options, connections, durationMs, requestsMax: ordersMax }),
      );
    }
    await client.warmUp(pace.connections);
    return await runSteps(pace.steps, options);
  } finally {
    client.close();
  }
}

async function runSteps(
  steps: readonly Step[],
  options: Omit<LoadOptions, 'group'>,
): Promise<Outcome> {
  const schedule = scheduleOf(steps);
  const inTime: Record<string, number> = {};
  const startMs = performance.now();
  const group = (outcome: HttpOutcome, index: number): string => {
    const due = schedule[index];
    const status = outcome.kind === 'answered' ? String(outcome.status) : outcome.kind;
    if (due !== undefined && performance.now() - startMs <= due.stepEndMs) {
      const name = `${due.step} ${status}`;
      inTime[name] = (inTime[name] ?? 0) + 1;
    }
    return `${due?.group} ${status}`;
  };
  const scheduleMs = schedule.map(({ atMs }) => atMs);
  return { ...told(await openLoop({ ...options, scheduleMs, group })), inTime };
}

/** When each arrival is due, and under which name it is counted. */
export function scheduleOf(steps: readonly Step[]): Due[] {
  let startMs = 0;
  return steps.flatMap(({ name, ratePerS, durationMs, windowMs }) => {
    const stepMs = startMs;
    startMs += durationMs;
    return Array.from({ length: Math.floor((ratePerS * durationMs) / 1_000) }, (_, index) => {
      const inStepMs = (index * 1_000) / ratePerS;
      const window = windowMs === undefined ? '' : ` ${Math.floor(inStepMs / windowMs)}`;
      return {
        atMs: stepMs + inStepMs,
        step: name,
        stepEndMs: stepMs + durationMs,
        group: `${name}${window}`,
      };
    });
  });
}

function told({ groups, durationMs }: LoadReport): Outcome {
  const latencies = [...groups].map(([name, histogram]) => {
    return [name, { count: histogram.count, ...histogram.percentiles() }] as const;
  });
  return { tookMs: durationMs, latencyMs: Object.fromEntries(latencies), inTime: {} };
}

/** Each connection writes its next row as soon as the last one is committed. */
export async function runCommits(run: CommitRun): Promise<CommitOutcome> {
  const clients = Array.from(
    { length: run.connections },
    () => new pg.Client({ connectionString: run.databaseUrl, query_timeout: 30_000 }),
  );
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const startMs = performance.now();
    let commits = 0;
    const write = async (client: pg.Client): Promise<void> => {
      while (performance.now() - startMs < run.durationMs) {
        const values = [...run.values, randomUUID()];
        await client.query({ name: 'bench_commit', text: run.statement, values });
        commits++;
      }
    };
    await Promise.all(clients.map(write));
    return { tookMs: performance.now() - startMs, commits };
  } finally {
    await Promise.allSettled(clients.map((client) => client.end()));
  }
}
