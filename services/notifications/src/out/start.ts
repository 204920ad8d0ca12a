// Puts messages out together: what is configured decides whether they wait for senders, or are
// written to a file.

import type { PostgresStore, Service } from '@rushlight/chassis';
import { createFileMessenger, type Messenger } from '../messenger.ts';
import { channelNames } from './channel.ts';
import { createPostgresOutQueue, type OutQueue } from './queue.ts';
import { startSender } from './sender.ts';
import { createChannels, type OutSettings } from './settings.ts';

const keptMs = 2 * 24 * 3_600_000;
const forgetEveryMs = 60_000;
const forgetRowsMax = 10_000;

export function startMessages(service: Service<OutSettings>, database: PostgresStore): Messenger {
  const { config, settings, env, metrics } = service;
  const channels = createChannels(settings, env);
  const queue = createPostgresOutQueue(database);
  metrics.onScrape(async () => {
    for (const channel of channelNames) {
      const { count, oldestS } = await queue.waiting(channel);
      metrics.set('messages_out_waiting', { channel }, count);
      metrics.set('messages_out_oldest_seconds', { channel }, oldestS);
    }
  });
  service.every('forget messages out', forgetEveryMs, async () => {
    await queue.forget(keptMs, forgetRowsMax);
  });
  if (channels.length === 0) return createFileMessenger(config.dataFolder);
  const perS = settings.RUSHLIGHT_NOTIFICATIONS_MESSAGES_PER_S;
  for (const channel of channels) startSender(service, { queue, channel, perS });
  return queueingMessenger(queue, {
    channels: channels.map(({ name }) => name),
    waitingMax: settings.RUSHLIGHT_NOTIFICATIONS_MESSAGES_WAITING_MAX,
  });
}

/** Puts messages in line. What comes again, because we were killed, is there already. */
function queueingMessenger(
  queue: OutQueue,
  options: { channels: Parameters<OutQueue['add']>[1]; waitingMax: number },
): Messenger {
  const { channels, waitingMax } = options;
  return {
    room: async () => {
      const waiting = await queue.waitingUpTo(waitingMax);
      return Math.floor((waitingMax - waiting) / channels.length);
    },
    send: (messages) => (messages.length === 0 ? Promise.resolve() : queue.add(messages, channels)),
  };
}
