// The replicas of a service that we call, and which of them takes the next call.
//
// P1. A call with a key goes to the replica of that key while that one works; without a key, to the one
//     that has the fewest calls under way: who is slow, or stands still, gets fewer.
// P2. A replica whose breaker is open, or that said it is leaving, gets none while another works. It is
//     probed by a ping: no order is spent on finding out. A single replica is probed by the next call.
// P3. A call that cannot have been acted on goes to the next replica at once.

import { Pool } from 'undici';
import {
  type Breaker,
  type BreakerOptions,
  type BreakerStatus,
  createBreaker,
} from '../breaker.ts';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';

export type Replica = {
  readonly url: string;
  readonly pool: Pool;
  readonly streams: Pool;
  readonly breaker: Breaker;
  underWay: number;
  /** Until then it is about to close. */
  leavingUntilMs: number;
};

export type ReplicasOptions = {
  target: string;
  urls: readonly string[];
  env: Pick<Environment, 'monotonicMs' | 'random'>;
  judge: NonNullable<BreakerOptions['judge']>;
  connectionsMax: number;
  answerBytesMax: number;
  /** Hears of every change of a replica's breaker. */
  onState: (url: string, status: BreakerStatus) => void;
};

const leavingMs = 1_000;
const pingMsMax = 1_000;

export class Replicas {
  readonly all: readonly Replica[];
  readonly #target: string;
  readonly #env: ReplicasOptions['env'];

  constructor(options: ReplicasOptions) {
    this.#target = options.target;
    this.#env = options.env;
    this.all = options.urls.map((url) => openReplica(options, url));
  }

  /** How the best of them looks: open only when none can be asked. */
  get outlook(): BreakerStatus {
    const looks = this.all.map(({ breaker }) => breaker.outlook);
    return (['closed', 'half-open'] as const).find((look) => looks.includes(look)) ?? 'open';
  }

  /** @param tried those that this call was already given to; one of them again when there is no other */
  pick(key: string | undefined, tried: ReadonlySet<Replica>): Replica {
    const fresh = this.all.filter((replica) => !tried.has(replica));
    const from = fresh.length > 0 ? fresh : this.all;
    if (this.all.length > 1) for (const replica of from) this.#probe(replica);
    const works = from.filter(({ breaker }) => breaker.status === 'closed');
    const stays = works.filter((replica) => !this.isLeaving(replica));
    const best = [stays, works, from].find((some) => some.length > 0) ?? this.all;
    const chosen = key === undefined ? leastBusy(best, this.#env.random()) : this.#ofKey(best, key);
    if (chosen === undefined) throw new Error('a service without replicas');
    return chosen;
  }

  /** Where calls with this key go while all work. */
  indexOf(key: string): number {
    return hashOf(key) % this.all.length;
  }

  /** Hears that a replica closes its connections. */
  leaves(replica: Replica): void {
    replica.leavingUntilMs = this.#env.monotonicMs() + leavingMs;
  }

  isLeaving(replica: Replica): boolean {
    return this.#env.monotonicMs() < replica.leavingUntilMs;
  }

  async close(): Promise<void> {
    const pools = this.all.flatMap(({ pool, streams }) => [pool, streams]);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  /** Always the same one while it is among them; else the next. */
  #ofKey(from: readonly Replica[], key: string): Replica | undefined {
    const start = this.indexOf(key);
    const inTurn = [...this.all.slice(start), ...this.all.slice(0, start)];
    return inTurn.find((replica) => from.includes(replica));
  }

  #probe(replica: Replica): void {
    const { breaker } = replica;
    const isDue = breaker.status === 'open' && breaker.outlook === 'half-open';
    if (isDue) breaker.run(() => this.#pingAsCall(replica)).catch(() => undefined);
  }

  async #pingAsCall(replica: Replica): Promise<void> {
    await pingOf(replica).catch((error: unknown) => {
      throw new UnavailableError(this.#target, `${replica.url} did not answer /ping`, {
        cause: error,
      });
    });
  }
}

/** Throws when it does not answer /ping. */
export async function pingOf({ pool }: Replica): Promise<void> {
  const signal = AbortSignal.timeout(pingMsMax);
  const response = await pool.request({ method: 'GET', path: '/ping', signal });
  await response.body.dump();
  if (response.statusCode !== 200) throw new Error(`/ping answered ${response.statusCode}`);
}

function openReplica(options: ReplicasOptions, url: string): Replica {
  const { target, env, judge, onState, connectionsMax, answerBytesMax } = options;
  const label = options.urls.length > 1 ? `${target} at ${new URL(url).host}` : target;
  return {
    url,
    pool: new Pool(url, {
      connections: connectionsMax,
      pipelining: 1,
      connectTimeout: 1_000,
      keepAliveTimeout: 30_000,
      maxResponseSize: answerBytesMax,
    }),
    streams: new Pool(url, { connections: null, connectTimeout: 1_000 }),
    breaker: createBreaker({
      target: label,
      env,
      judge,
      onState: (status) => onState(url, status),
    }),
    underWay: 0,
    leavingUntilMs: Number.NEGATIVE_INFINITY,
  };
}

/** @param random in [0, 1): which of several that are equally busy */
function leastBusy(from: readonly Replica[], random: number): Replica | undefined {
  const least = Math.min(...from.map(({ underWay }) => underWay));
  const free = from.filter(({ underWay }) => underWay === least);
  return free[Math.floor(random * free.length)];
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
