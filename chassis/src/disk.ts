// How full the disk is on which this service's data lies.

import { statfs } from 'node:fs/promises';
import type { Metrics } from './metrics.ts';

/** Looks before each scrape. A folder that is not there says nothing. */
export function watchDisk(folder: string, metrics: Pick<Metrics, 'onScrape' | 'set'>): void {
  const volume = 'data';
  metrics.onScrape(async () => {
    const { bsize, bavail, blocks } = await statfs(folder);
    metrics.set('disk_available_bytes', { volume }, bavail * bsize);
    metrics.set('disk_size_bytes', { volume }, blocks * bsize);
  });
}
