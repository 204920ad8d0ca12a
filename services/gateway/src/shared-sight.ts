// What all gateways saw, put together: each tells the others, by the cache that they share, what came
// to it, while somebody looks.
//
// S1. Nobody tells anything while nobody looks; a first look may see only what came to its own gateway.
// S2. What one tells stays for some seconds: who is gone is not counted for long.
// S3. Without the cache each shows its own.

import type { Cache, Environment } from '@rushlight/chassis';
import { z } from 'zod';

export type SharedSight<T> = {
  /** Ours, and what the others told last. */
  all(): Promise<T[]>;
  /** Tells what we saw, if anybody wants to know; to be called about once a second. */
  tell(): Promise<void>;
};

export type SharedSightOptions<T> = {
  cache: Pick<Cache, 'get' | 'set'>;
  env: Pick<Environment, 'monotonicMs'>;
  instance: string;
  read: () => T;
  schema: z.ZodType<T>;
};

const wantedKey = 'sight:wanted';
const namesKey = 'sight:gateways';
const wantedMs = 10_000;
const toldMs = 4_000;
const askedAnewMs = 2_000;
const gatewaysMax = 64;
const Names = z.array(z.string()).max(gatewaysMax);
const keyOf = (instance: string): string => `sight:of:${instance}`;

export function createSharedSight<T>(options: SharedSightOptions<T>): SharedSight<T> {
  const { cache, env, instance, read, schema } = options;
  let askedMs = Number.NEGATIVE_INFINITY;

  const names = async (): Promise<string[]> => parsed(Names, await cache.get(namesKey)) ?? [];
  const othersSaw = async (): Promise<T[]> => {
    if (env.monotonicMs() - askedMs > askedAnewMs) {
      askedMs = env.monotonicMs();
      await cache.set(wantedKey, instance, wantedMs);
    }
    const others = (await names()).filter((name) => name !== instance);
    const told = await Promise.all(others.map((name) => cache.get(keyOf(name))));
    return told.flatMap((text) => parsed(schema, text) ?? []);
  };
  return {
    all: async () => [read(), ...(await othersSaw().catch(() => []))], // S3
    tell: async () => {
      if ((await cache.get(wantedKey)) === undefined) return;
      await cache.set(keyOf(instance), JSON.stringify(read()), toldMs);
      // Two that write this at once are both in it a second later.
      const known = await names();
      const others = known.filter((name) => name !== instance).slice(-(gatewaysMax - 1));
      await cache.set(namesKey, JSON.stringify([...others, instance]), wantedMs);
    },
  };
}

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
