// What waits on the bus of a platform of our own, and what died there, whatever the bus is.

import { type Bus, openRabbitBus, realEnvironment, silentLog } from '@rushlight/chassis';
import { queueNames } from '@rushlight/contracts';

export type BusBooks = {
  /** Messages that wait or are being handled; a broker knows of the second only in part. */
  messages(): Promise<number>;
  /** Messages that no consumer could take. */
  deadLetters(): Promise<number>;
  close(): Promise<void>;
};

/** @param count the rows of a table in the database of the embedded bus */
export function booksOfPostgresBus(count: (table: string) => Promise<number>): BusBooks {
  return {
    messages: () => count('messages'),
    deadLetters: () => count('dead_letters'),
    close: async () => undefined,
  };
}

/** @param url of the broker; it is connected to when it is asked for the first time */
export function booksOfBroker(url: string): BusBooks {
  let opened: Promise<Bus> | undefined;
  const bus = async (): Promise<Bus> => {
    opened ??= openRabbitBus({ url, name: 'auditor', env: realEnvironment, log: silentLog });
    opened.catch(() => {
      opened = undefined; // The next question tries again.
    });
    return await opened;
  };
  return {
    messages: async () => {
      const asked = await bus();
      const depths = await Promise.all(queueNames.map((queue) => asked.depth(queue)));
      return depths.reduce((sum, depth) => sum + depth, 0);
    },
    deadLetters: async () => {
      const counts = await (await bus()).deadLetters.counts();
      return counts.reduce((sum, { count }) => sum + count, 0);
    },
    close: async () => {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}
