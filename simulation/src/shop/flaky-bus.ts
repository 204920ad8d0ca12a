// A process's way to the bus. The bus loses nothing that it confirmed; everything else may happen:
// messages come late, again, out of order, and confirmations and acknowledgements go astray.

import {
  type Bus,
  type Environment,
  type MemoryBus,
  type MessageHandler,
  UnavailableError,
} from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import type { FaultKind } from '../engine/fault-kinds.ts';
import type { SimProcess } from '../engine/process.ts';
import type { Settings } from '../settings.ts';
import type { Weather } from './disk.ts';

/** How much later a message comes again at most. */
const repeatAfterMsMax = 6_000;
const lateMsMax = 1_500;

export function flakyBus(
  bus: MemoryBus,
  process: SimProcess,
  env: Environment,
  { settings, weather }: { settings: Settings; weather: Weather },
): Bus {
  const { world } = process;
  const { random } = env;
  const happens = (kind: FaultKind, rate: number): boolean => {
    if (!weather.faulty || rate === 0 || random() >= rate) return false;
    world.count(kind);
    return true;
  };
  const transit = (): Promise<void> => env.sleep(random() * settings.busMs);
  const tell = (what: string, messages: readonly Message[]): void =>
    world.story.say('bus', () => `${what}: ${messages.map(told).join('; ')} (${process.name})`);

  const comesAtMs = new Map<string, number>();
  /** Late ones stay late for a while, so that others overtake them. */
  const isLate = ({ id }: Message): boolean => {
    const known = comesAtMs.get(id);
    if (known !== undefined) return weather.faulty && world.elapsedMs < known;
    const late = happens('message_late', settings.messageLateRate);
    comesAtMs.set(id, late ? world.elapsedMs + random() * lateMsMax : 0);
    return late;
  };

  const take =
    (handle: (messages: readonly Message[]) => Promise<void>) =>
    async (messages: readonly Message[]): Promise<void> => {
      await transit();
      if (messages.filter(isLate).length > 0) {
        throw new UnavailableError('bus', 'the message comes later');
      }
      await handle(messages);
      if (happens('ack_lost', settings.ackLostRate)) {
        tell('loses the acknowledgement of', messages);
        throw new UnavailableError('bus', 'the acknowledgement was lost');
      }
    };
  return {
    ...bus,
    publish: async (messages) => {
      await transit();
      if (happens('publish_failed', settings.publishFailedRate)) {
        throw new UnavailableError('bus', 'it could not be reached');
      }
      await bus.publish(messages);
      tell('has', messages);
      if (happens('message_repeated', settings.messageRepeatedRate)) {
        world.at(random() * repeatAfterMsMax, () => {
          bus.publish(messages).catch(() => undefined);
        });
      }
      await transit();
      if (happens('confirm_lost', settings.confirmLostRate)) {
        tell('loses the confirmation of', messages);
        throw new UnavailableError('bus', 'the confirmation was lost');
      }
    },
    consume: (queue, handle: MessageHandler, options) => {
      const taken = take(async ([message]) => message && handle(message));
      return bus.consume(queue, (message) => taken([message]), options);
    },
    consumeBatches: (queue, handle, options) => bus.consumeBatches(queue, take(handle), options),
    listen: (topics, hear, resync) =>
      bus.listen(
        topics,
        (message) => {
          if (happens('hint_lost', settings.hintLostRate)) return;
          env.after(random() * settings.busMs, () => hear(message));
        },
        () => void env.after(random() * settings.busMs, resync),
      ),
  };
}

/** A message, in a few words. */
export function told({ topic, id, events }: Message): string {
  const of = events.map((event) => {
    const { orderId, itemId, studentId } = event as Record<string, string | undefined>;
    return orderId === undefined ? (itemId ?? studentId ?? '?') : shortId(orderId);
  });
  const outcome = (events[0] as { outcome?: string; status?: string } | undefined) ?? {};
  const how = outcome.outcome ?? outcome.status;
  return `${topic}${how === undefined ? '' : ` ${how}`} ${of.join(',')} [${id.slice(-4)}]`;
}

/** Enough of an order's id to tell it from the others. */
export function shortId(orderId: string): string {
  return orderId.slice(-5);
}
