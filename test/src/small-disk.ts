// A disk of its own for a data folder, small enough to be filled to the last byte.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SmallDisk = {
  /** An empty folder on it, for the platform. */
  readonly data: string;
  freeMb(): number;
  /** Takes what is left, to the last page. To be called again when something was freed. */
  fill(): void;
  /** Gives all of it back. */
  free(): void;
  unmount(): void;
};

const pageBytes = 4_096;

/** Mounts one; a sentence instead where that is not possible. */
export function mountSmallDisk(sizeMb: number): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'it mounts a small tmpfs, which only root may on Linux: sudo npm run test:full';
  }
  const at = mkdtempSync(join(tmpdir(), 'rushlight-disk-'));
  const options = ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=711`, 'tmpfs', at];
  const mounted = spawnSync('mount', options, { encoding: 'utf8' });
  if (mounted.status !== 0) {
    rmSync(at, { recursive: true, force: true });
    const why = mounted.stderr?.trim() ?? mounted.error?.message;
    return `mount says: ${why}. In a container, give it --cap-add SYS_ADMIN`;
  }
  const ballast = join(at, 'ballast');
  const data = join(at, 'data');
  mkdirSync(data, { mode: 0o711 });
  return {
    data,
    freeMb: () => {
      const { bavail, bsize } = statfsSync(at);
      return Math.round((bavail * bsize) / 1024 ** 2);
    },
    fill: () => fillUp(ballast),
    free: () => rmSync(ballast, { force: true }),
    unmount: () => {
      spawnSync('umount', [at]);
      rmSync(at, { recursive: true, force: true });
    },
  };
}

function fillUp(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let bytes = 1024 ** 2; bytes >= pageBytes; ) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        bytes /= 2;
      }
    }
  } finally {
    closeSync(file);
  }
}
