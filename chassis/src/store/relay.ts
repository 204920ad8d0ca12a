// The relay carries what stands in the outbox to the bus. No other place publishes.
//
// R1. It is woken by each commit that emitted, and carries that from memory; it looks into the table by
//     itself now and then, so that rows of a process that died are carried too.
// R2. While the bus (or the database) is down it tries again, slower and slower, and loses nothing.
// R3. Between two publications it pauses: what is committed meanwhile is published together.

import { createBell } from '../bell.ts';
import type { Bus } from '../bus/bus.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import type { Outbox, Publish } from './store.ts';

export type RelayOptions = {
  outbox: Outbox;
  bus: Pick<Bus, 'publish'>;
  env: Environment;
  log: Log;
  /** Messages per claim at most. */
  messagesMax?: number;
  pollMs?: number;
  pauseMs?: number;
  backoffMsMax?: number;
};

/** Younger rows are in the hands of the process that wrote them. */
const strayAgeMs = 1_000;

export type Relay = {
  /** Carries what still waits, for this long at most, then stops. */
  close(drainMsMax?: number): Promise<void>;
};

/** Starts to relay at once, until it is closed. */
export function startRelay(options: RelayOptions): Relay {
  const { outbox, bus, env, log } = options;
  const messagesMax = options.messagesMax ?? 100;
  const pollMs = options.pollMs ?? 250;
  const pauseMs = options.pauseMs ?? 50;
  const backoffMsMax = options.backoffMsMax ?? 2_000;
  const bell = createBell(env);
  let failures = 0;
  let drainUntilMs: number | undefined;

  let lookedMs = Number.NEGATIVE_INFINITY;

  const publish: Publish = (messages) => bus.publish(messages);
  const carry = async (): Promise<number> => {
    const isUsual = failures === 0 && drainUntilMs === undefined;
    const fresh = failures === 0 ? await outbox.relayNew(messagesMax, publish) : 0;
    if (isUsual && env.monotonicMs() - lookedMs < pollMs) return fresh;
    lookedMs = env.monotonicMs();
    const strays = await outbox.relay(messagesMax, publish, isUsual ? strayAgeMs : 0);
    if (strays > 0) lookedMs = Number.NEGATIVE_INFINITY; // Where some were, more may be.
    return fresh + strays;
  };
  const runOnce = async (): Promise<number> => {
    try {
      const carried = await carry();
      if (failures > 0) log.info({ failures }, 'the outbox is being relayed again');
      failures = 0;
      return carried;
    } catch (error) {
      failures += 1;
      if (failures === 1) {
        log.warn({ error }, 'the outbox cannot be relayed now; it is tried again');
      }
      return 0;
    }
  };
  const waitMs = (): number => {
    if (failures === 0) return pollMs;
    const ceilingMs = Math.min(backoffMsMax, 50 * 2 ** Math.min(failures, 10));
    return ceilingMs * (0.5 + env.random() / 2);
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      bell.silence();
      const carried = await runOnce();
      if (drainUntilMs !== undefined) {
        const over = env.monotonicMs() >= drainUntilMs;
        if (over || (carried === 0 && failures === 0)) return;
      }
      // A ring must not cut the back-off short: a bus that is down would be hammered.
      if (failures > 0) await env.sleep(waitMs());
      else if (carried === 0) await bell.wait(waitMs());
      else if (drainUntilMs === undefined) await env.sleep(pauseMs);
    }
  };

  outbox.onWritten(bell.ring);
  const ended = loop();
  return {
    close: (drainMsMax = 2_000) => {
      drainUntilMs ??= env.monotonicMs() + drainMsMax;
      bell.ring();
      return ended;
    },
  };
}
