// Hears broadcasts: hints, at most once, on a queue that is gone with its connection (B4).

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BroadcastTopic, Message } from '@rushlight/contracts';
import type { AsyncMessage } from 'rabbitmq-client';
import type { Environment } from '../../environment.ts';
import type { Log } from '../../log.ts';
import type { Subscription } from '../bus.ts';
import { inspect } from '../delivery.ts';
import { readStored } from './frames.ts';
import { declareEar } from './topology.ts';
import type { Wire } from './wire.ts';

const reopenMsMin = 50;
const reopenMsMax = 3_000;

export type HearingParts = { wire: Wire; env: Environment; log: Log };

/** Hears until it is closed; `resync` runs at each connection. */
export function startHearing(
  { wire, env, log }: HearingParts,
  topics: readonly BroadcastTopic[],
  hear: (message: Message) => void,
  resync: () => void,
): Subscription {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const tell = (run: () => void): void => {
    if (stop.signal.aborted) return;
    try {
      run();
    } catch (error) {
      log.error({ error }, 'a listener of the bus failed');
    }
  };
  const heard = (incoming: AsyncMessage): void => {
    const { message } = inspect('broadcast', readStored(incoming), 1);
    if (message) tell(() => hear(message));
  };
  const live = async (): Promise<void> => {
    const channel = await wire.channel();
    const ended = new Promise<void>((resolve) => {
      channel.once('close', resolve);
      channel.once('basic.cancel', () => resolve());
    });
    const queue = await wire.answer('listening', declareEar(channel, topics));
    await wire.answer('listening', channel.basicConsume({ queue, noAck: true }, heard));
    tell(resync);
    await Promise.race([ended, stopped]);
    await wire.answer('closing a channel', channel.close());
    await nextTurn();
  };
  const keep = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; failures += 1) {
      const startedMs = env.monotonicMs();
      await live().catch((error: unknown) => {
        if (failures <= 1) log.warn({ error }, 'broadcasts are not heard now; it is tried again');
      });
      if (env.monotonicMs() - startedMs > reopenMsMax) failures = 0;
      const wholeMs = Math.min(reopenMsMax, reopenMsMin * 2 ** Math.min(failures, 10));
      await env.sleep(wholeMs * (0.5 + env.random() / 2), stop.signal).catch(() => {});
    }
  };
  const kept = keep();
  return {
    close: () => {
      stop.abort();
      return kept;
    },
  };
}
