// Wall clocks that can be shifted, one for each service of a platform.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServiceName, serviceNames } from '@rushlight/contracts';
import { type PlatformOptions, serviceCommand } from '@rushlight/launcher';

export type Clocks = {
  /** What the platform is to be started with. */
  readonly options: Pick<PlatformOptions, 'command' | 'env'>;
  /** Takes effect within some milliseconds, also in a process that is started later. */
  shift(service: ServiceName, byMs: number): void;
  remove(): void;
};

const preload = fileURLToPath(new URL('shifted-clock.ts', import.meta.url));

export function createClocks(): Clocks {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-clocks-'));
  const fileOf = (service: ServiceName): string => join(folder, service);
  return {
    options: {
      command: (name) => ['--import', preload, ...serviceCommand(name)],
      env: Object.fromEntries(
        serviceNames.map((name) => [name, { SHIFTED_CLOCK_FILE: fileOf(name) }]),
      ),
    },
    shift: (service, byMs) => {
      writeFileSync(`${fileOf(service)}.new`, String(byMs));
      renameSync(`${fileOf(service)}.new`, fileOf(service));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
