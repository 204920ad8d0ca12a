// A module of ours as a process of its own, which says when it is ready and ends when we let it go.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export type Forked<Ready> = AsyncDisposable & { child: ChildProcess; ready: Ready };

const readyMsMax = 20_000;

/** @throws Error when its first message does not come */
export async function forkModule<Ready>(
  module: URL,
  words: readonly string[] = [],
): Promise<Forked<Ready>> {
  const child = fork(module, words);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (child.connected) child.disconnect();
    await gone;
  };
  try {
    return {
      child,
      ready: await nextMessage<Ready>(child, readyMsMax),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** The next message of this process; rejects when it ends first, or says nothing for so long. */
export function nextMessage<T>(child: ChildProcess, msMax: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(limit);
      child.off('exit', onExit).off('message', onMessage);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      leave();
      reject(new Error(`${child.spawnargs[1]} ended (${signal ?? code}).`));
    };
    const onMessage = (message: unknown): void => {
      leave();
      resolve(message as T);
    };
    const limit = setTimeout(() => {
      leave();
      reject(new Error(`${child.spawnargs[1]} said nothing for ${msMax} ms.`));
    }, msMax);
    child.once('exit', onExit).once('message', onMessage);
  });
}
