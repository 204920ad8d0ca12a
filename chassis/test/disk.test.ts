import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { watchDisk } from '../src/disk.ts';
import { createMetrics } from '../src/metrics.ts';

const own = { service: 'orders', instance: 'orders-1' };

test('a scrape says how full the disk under a folder is', async () => {
  const metrics = createMetrics(own);
  watchDisk(tmpdir(), metrics);
  const { text } = await metrics.expose();
  const read = (name: string): number =>
    Number(new RegExp(`^${name}\\{[^}]*volume="data"[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]);
  expect(read('disk_size_bytes')).toBeGreaterThan(0);
  expect(read('disk_available_bytes')).toBeLessThanOrEqual(read('disk_size_bytes'));
});

test('a folder that is not there says nothing, and fails nothing', async () => {
  const metrics = createMetrics(own);
  watchDisk('/nowhere', metrics);
  expect((await metrics.expose()).text).not.toMatch(/^disk_size_bytes\{/m);
});
