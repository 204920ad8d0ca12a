// Sends what waits on one channel.
//
// S1. Nothing is sent that was not leased (Q2), and nothing is forgotten that was not answered: who
//     is killed between the two sends again, under the same id.
// S2. At most so many messages a second and so many at once; while the other side is down one
//     message at a time finds out whether it is back.
// S3. What is refused for good, or is too old to be of use, ends. Everything else comes again, ever
//     more seldom.
// S4. What stands in logs names the channel, the host and a code: no student, no text, no secret.

import {
  Breaker,
  BreakerOpenError,
  breakerRules,
  type Service,
  UnavailableError,
} from '@rushlight/chassis';
import type { Attempt, Channel } from './channel.ts';
import type { End, Leased, OutQueue } from './queue.ts';

export type SenderOptions = {
  queue: OutQueue;
  channel: Channel;
  /** Messages a second at most. */
  perS: number;
};

type Working = Pick<Service<unknown>, 'env' | 'log' | 'metrics' | 'own' | 'every'>;

const lookEveryMs = 250;
const atOnceMax = 4;
/** Longer than any attempt takes. */
const leaseMs = 60_000;
const ageMsMax = 24 * 3_600_000;
const pauseMsMin = 1_000;
const pauseMsMax = 10 * 60_000;
const whileDownMs = 1_000;
/** How long what is being sent may still take when the service stops. */
const finishMsMax = 3_000;
const rules = { ...breakerRules, openMsMax: 30_000 };

/** The other side did not take anything; for the breaker. */
class DownError extends UnavailableError {
  override readonly name = 'DownError';
}

export function startSender(service: Working, options: SenderOptions): void {
  const { env, log, metrics } = service;
  const { queue, channel, perS } = options;
  const { name, host } = channel;
  const stop = new AbortController();
  const breaker = new Breaker({
    target: host,
    env,
    rules,
    onState: (status) => {
      if (status === 'open')
        log.warn({ channel: name, host }, 'messages out wait: nobody takes them');
      if (status === 'closed') log.info({ channel: name, host }, 'messages out can be sent');
    },
  });

  const deliver = async (letter: Leased): Promise<void> => {
    const attempt = await attemptBy(breaker, channel, letter);
    const end = endOf(attempt, letter, env.random());
    if (!(await queue.settle(name, letter, end))) return;
    const outcome = end.state === 'waiting' ? 'retried' : end.state;
    metrics.count('messages_out_total', { channel: name, outcome });
    if (attempt.outcome === 'refused') {
      log.warn({ channel: name, host, why: attempt.why }, 'a message out was refused for good');
    }
  };
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted && breaker.outlook !== 'open') {
      const startedMs = env.monotonicMs();
      const limit = breaker.outlook === 'half-open' ? 1 : Math.min(atOnceMax, Math.ceil(perS)); // S2
      const letters = await queue.lease(name, limit, leaseMs);
      if (letters.length === 0) return;
      const results = await Promise.allSettled(letters.map(deliver));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      const leftMs = (letters.length / perS) * 1_000 - (env.monotonicMs() - startedMs);
      if (leftMs > 0) await env.sleep(leftMs, stop.signal).catch(() => undefined);
    }
  };
  let running: Promise<void> = Promise.resolve();
  service.every(`send by ${name}`, lookEveryMs, () => {
    running = run();
    return running;
  });
  service.own(`messages by ${name}`, async () => {
    stop.abort();
    const late = Promise.withResolvers<void>();
    const cancel = env.after(finishMsMax, late.resolve);
    await Promise.race([running.catch(() => undefined), late.promise]);
    cancel();
    channel.close();
  });
}

async function attemptBy(breaker: Breaker, channel: Channel, letter: Leased): Promise<Attempt> {
  try {
    return await breaker.run(async () => {
      const attempt = await channel.send(letter);
      if (attempt.outcome === 'down') throw new DownError(channel.host, attempt.why);
      return attempt;
    });
  } catch (error) {
    if (error instanceof BreakerOpenError) return { outcome: 'down', why: 'not_asked' };
    if (error instanceof DownError) return { outcome: 'down', why: error.message };
    throw error;
  }
}

/** What becomes of a message after this attempt. */
export function endOf(attempt: Attempt, letter: Leased, random: number): End {
  if (attempt.outcome === 'sent' || attempt.outcome === 'refused') {
    return { state: attempt.outcome };
  }
  if (letter.ageMs > ageMsMax) return { state: 'expired' };
  // While nobody answers the breaker says how often one is tried.
  if (attempt.outcome === 'down') {
    return { state: 'waiting', waitMs: Math.round(whileDownMs * (1 + random)) };
  }
  const ceilingMs = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(letter.attempts, 20));
  const pauseMs = Math.round(ceilingMs * (0.5 + random / 2));
  return { state: 'waiting', waitMs: Math.max(pauseMs, attempt.waitMs ?? 0) };
}
