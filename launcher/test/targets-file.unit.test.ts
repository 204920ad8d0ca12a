import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { replicasOf } from '../src/replicas.ts';
import { removeTargets, writeTargets } from '../src/targets-file.ts';

test('what is scraped is written as Prometheus reads it, and goes with the shop', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-targets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'targets.json');
  const urls: Record<string, string> = {
    gateway: 'http://127.0.0.1:3000',
    'orders-1': 'http://[::1]:4001',
    'orders-2': 'http://127.0.0.1:4002',
  };
  const replicas = replicasOf({ replicas: { orders: 2 } }, false);
  const some = replicas.filter(({ part }) => part in urls);
  writeTargets(path, some, (part) => urls[part] ?? '');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([
    { targets: ['[::1]:4001'], labels: { service: 'orders', instance: 'orders-1' } },
    { targets: ['127.0.0.1:4002'], labels: { service: 'orders', instance: 'orders-2' } },
    { targets: ['127.0.0.1:3000'], labels: { service: 'gateway', instance: 'gateway-1' } },
  ]);
  removeTargets(path);
  removeTargets(path);
  expect(existsSync(path)).toBe(false);
});
