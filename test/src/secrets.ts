import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Shop } from './platform.ts';

/** Fails when one of these stands in any log of the platform (F20), or when there is no log. */
export function expectNoSecretInLogs(shop: Shop, secrets: Iterable<string>): void {
  const { logs } = shop.platform;
  const texts = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
  expect(texts.join('').length).toBeGreaterThan(0);
  for (const secret of secrets) {
    expect(
      texts.some((text) => text.includes(secret)),
      'a secret in a log',
    ).toBe(false);
  }
}
