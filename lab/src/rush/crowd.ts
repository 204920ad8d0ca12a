// The crowd's process, as the rush holds it.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CrowdResult, FromCrowd, Orders, Progress, ToCrowd } from './crowd-messages.ts';

export type Crowd = {
  /** Resolves at the first arrival. */
  readonly started: Promise<void>;
  /** Resolves when everybody was answered or gave up. */
  readonly over: Promise<CrowdResult>;
  /** Lets them hear what is still to be heard, and closes the record. */
  finish(lastEventIds: Record<string, number> | undefined): Promise<void>;
  kill(): void;
};

const script = fileURLToPath(new URL('./crowd-process.ts', import.meta.url));

export function sendCrowd(orders: Orders, onProgress: (progress: Progress) => void): Crowd {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const started = Promise.withResolvers<void>();
  const over = Promise.withResolvers<CrowdResult>();
  const closed = Promise.withResolvers<void>();
  const all = [started, over, closed];
  for (const { promise } of all) promise.catch(() => undefined); // Whoever waits for it will hear.
  const tell = (message: ToCrowd): void => void child.send(message);
  child.on('message', (message: FromCrowd) => {
    switch (message.kind) {
      case 'started':
        started.resolve();
        return;
      case 'progress':
        onProgress(message);
        return;
      case 'over':
        over.resolve(message.result);
        return;
      case 'closed':
        closed.resolve();
        return;
    }
  });
  const fail = (error: Error): void => {
    for (const { reject } of all) reject(error);
  };
  child.once('error', fail).once('exit', (code, signal) => {
    fail(new Error(`The crowd's process ended with ${signal ?? `code ${code}`}`));
  });
  tell({ kind: 'begin', orders });
  return {
    started: started.promise,
    over: over.promise,
    finish: async (lastEventIds) => {
      tell({ kind: 'finish', lastEventIds });
      await closed.promise;
    },
    kill: () => child.kill('SIGKILL'),
  };
}
