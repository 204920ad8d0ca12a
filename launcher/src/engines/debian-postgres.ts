// The Postgres programs of Debian's packages, run as a part by the same code as the embedded ones.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { notInstalled, programIn } from './programs.ts';

const programs = '/usr/lib/postgresql';

/** The folder with bin/ of the newest version that is there. Throws LaunchError where none is. */
export function findDebianPostgres(): string {
  const newest = versionsIn(programs)
    .map((version) => join(programs, String(version)))
    .find((folder) => programIn('postgres', [join(folder, 'bin')]) !== undefined);
  if (newest === undefined) throw notInstalled('Postgres', 'postgresql');
  return newest;
}

function versionsIn(folder: string): number[] {
  try {
    const names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
    return names.map(Number).sort((a, b) => b - a);
  } catch {
    return []; // No package of Postgres was ever installed.
  }
}
