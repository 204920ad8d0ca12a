// The wall clock of the database, for instants that several processes judge: a deadline is written
// by one, and found to have passed by another. Their own clocks may differ, and may jump.
//
// C1. Between two looks it goes on with our monotonic clock: asking it costs nothing.
// C2. A look moves it no further than it must: into the span in which the answer was made. So it
//     does not tremble with the time that a look takes, and follows a slow drift.
// C3. The first look has nothing to hold on to but the middle of its span, which is far off when
//     the process stood still meanwhile. So it asks again while the span is long.

import type { Environment } from '../environment.ts';
import type { Statement } from './store.ts';

export type DatabaseClock = {
  nowMs(): number;
  /** Compares it with the database. @throws UnavailableError */
  look(): Promise<void>;
};

const lookEveryMs = 1_000;
const firstSpanMsMax = 50;
const firstLooksMax = 8;

type Asked = {
  query<Row extends object>(statement: Statement): Promise<Row[]>;
};

const now: Statement = {
  name: 'chassis_now',
  text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS "nowMs"',
};

/**
 * Reads it for the first time.
 *
 * @throws UnavailableError when the database does not answer
 */
export async function openDatabaseClock(
  store: Asked,
  env: Pick<Environment, 'monotonicMs'>,
): Promise<DatabaseClock> {
  const ask = async (): Promise<Span> => {
    const askedMs = env.monotonicMs();
    const [row] = await store.query<{ nowMs: number }>(now);
    if (row === undefined) throw new Error('the database gave no time');
    return { leastMs: row.nowMs - env.monotonicMs(), mostMs: row.nowMs - askedMs };
  };
  const first = await shortest(ask); // C3
  let aheadMs = (first.leastMs + first.mostMs) / 2;
  const look = async (): Promise<void> => {
    const { leastMs, mostMs } = await ask();
    aheadMs = Math.min(mostMs, Math.max(leastMs, aheadMs)); // C2
  };
  return { nowMs: () => Math.round(env.monotonicMs() + aheadMs), look };
}

/** How far the database may be ahead of our monotonic clock. */
type Span = { leastMs: number; mostMs: number };

async function shortest(ask: () => Promise<Span>): Promise<Span> {
  const lengthMs = (span: Span): number => span.mostMs - span.leastMs;
  let best = await ask();
  for (let looks = 1; looks < firstLooksMax && lengthMs(best) > firstSpanMsMax; looks++) {
    const next = await ask();
    if (lengthMs(next) < lengthMs(best)) best = next;
  }
  return best;
}

/** A service's environment on the time of its database. @throws UnavailableError */
export async function onDatabaseTime(
  service: { env: Environment; every: Every },
  store: Asked,
): Promise<Environment> {
  const clock = await openDatabaseClock(store, service.env);
  service.every('clock', lookEveryMs, clock.look);
  return { ...service.env, nowMs: clock.nowMs };
}

type Every = (what: string, everyMs: number, work: () => Promise<void>) => void;
