// The whole, as one value: Postgres and all services, started in order and stopped in reverse.
//
// O1. Nothing is touched before the data folder is locked; the lock is the last thing to go.
// O2. What an earlier launcher left behind is ended before anything is started.
// O3. The gateway's port is checked before anything is started.
// O4. A start that fails half-way stops what it has started.

import { openDataFolder } from './data-folder.ts';
import { takeLock } from './lock.ts';
import type { Platform, PlatformOptions } from './platform-types.ts';
import { Running } from './running.ts';

/**
 * Starts everything and resolves when every part is ready.
 *
 * @throws LaunchError, with a sentence for people; nothing is left running then
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const folder = openDataFolder(options.data);
  const lock = takeLock(folder.root, options.port);
  const running = new Running(folder, options);
  const stop = async (how: { atOnce?: boolean } = {}): Promise<void> => {
    await running.stop(how);
    lock.release();
    process.off('exit', lock.release);
  };
  process.once('exit', lock.release);
  try {
    await running.start();
    return { ...running.view(), stop, [Symbol.asyncDispose]: () => stop() };
  } catch (error) {
    await stop();
    throw error;
  }
}
