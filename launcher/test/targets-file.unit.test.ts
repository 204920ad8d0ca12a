import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeTargets, writeTargets } from '../src/targets-file.ts';

test('what is scraped is written as Prometheus reads it, and goes with the shop', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-targets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'targets.json');
  writeTargets(path, { gateway: 'http://127.0.0.1:3000', orders: 'http://[::1]:4001' });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([
    { targets: ['127.0.0.1:3000'], labels: { service: 'gateway', instance: 'gateway-1' } },
    { targets: ['[::1]:4001'], labels: { service: 'orders', instance: 'orders-1' } },
  ]);
  removeTargets(path);
  removeTargets(path);
  expect(existsSync(path)).toBe(false);
});
