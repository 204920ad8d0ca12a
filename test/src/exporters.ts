// Exporters of Debian beside a running platform: the machine, its Postgres, and a Redis of their own.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import type { Platform } from '@rushlight/launcher';
import { startProgram } from './programs.ts';

export type Exporters = AsyncDisposable & {
  /** As Prometheus' file-based service discovery has them. */
  readonly targets: readonly { targets: string[]; labels: Record<string, string> }[];
};

/** @param data the platform's data folder, which has the password that an exporter needs */
export async function startExporters(
  platform: Pick<Platform, 'postgresPort'>,
  data: string,
): Promise<Exporters> {
  await using started = new AsyncDisposableStack();
  const targets: Exporters['targets'][number][] = [];
  const redis = await freePort();
  started.use(
    await startProgram('redis-server', [
      ...['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ]),
  );
  const { superuser } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8'));
  const login = `rushlight:${encodeURIComponent(superuser)}`;
  const database = `postgres://${login}@127.0.0.1:${platform.postgresPort}/postgres?sslmode=disable`;
  const exporters = [
    ['node', {}],
    ['postgres', { DATA_SOURCE_NAME: database }],
    ['redis', { REDIS_ADDR: `redis://127.0.0.1:${redis}` }],
  ] as const;
  for (const [name, env] of exporters) {
    const address = `127.0.0.1:${await freePort()}`;
    started.use(
      await startProgram(`prometheus-${name}-exporter`, [`--web.listen-address=${address}`], {
        url: `http://${address}/metrics`,
        env,
      }),
    );
    targets.push({ targets: [address], labels: { service: `${name}-exporter`, instance: name } });
  }
  const kept = started.move();
  return { targets, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
