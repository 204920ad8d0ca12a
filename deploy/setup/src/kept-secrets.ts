// What was made by chance once: keys and passwords. Everything else that is secret follows from it.
//
// K1. What is there is never made anew; what is missing is added.

import { randomBytes } from 'node:crypto';
import { type ProcessName, processNames } from '@rushlight/contracts';
import { z } from 'zod';
import { databaseNames } from './databases.ts';
import { readIfThere, writeWhole } from './files.ts';
import { makePrivateKey } from './service-keys.ts';

const Kept = z.object({
  /** The private key of each process, as JSON. */
  keys: z.record(z.string(), z.string().min(1)),
  /** Passwords of the roles in Postgres. */
  roles: z.record(z.string(), z.string().min(1)),
  superuser: z.string().min(1),
  bus: z.string().min(1),
  cache: z.string().min(1),
  /** Of the first admin. */
  admin: z.string().min(1),
});
/** An older installation, or one that was cut off, may lack some. */
const Stored = Kept.partial();
export type KeptSecrets = z.infer<typeof Kept> & { keys: Record<ProcessName, string> };

const newPassword = (): string => randomBytes(24).toString('base64url');

/**
 * Reads them, making those that are missing.
 *
 * @throws Error when the file is damaged: to make new ones would lock out whoever knows the old
 */
export function keepSecrets(path: string): KeptSecrets {
  const text = readIfThere(path);
  const kept: z.infer<typeof Stored> = text === undefined ? {} : parse(text, path);
  const complete = {
    keys: completed(processNames, kept.keys, makePrivateKey) as Record<ProcessName, string>,
    roles: completed(databaseNames, kept.roles, newPassword),
    superuser: kept.superuser ?? newPassword(),
    bus: kept.bus ?? newPassword(),
    cache: kept.cache ?? newPassword(),
    admin: kept.admin ?? newPassword(),
  };
  const next = `${JSON.stringify(complete, null, 2)}\n`;
  if (next !== text) writeWhole(path, next);
  return complete;
}

function completed(
  names: readonly string[],
  kept: Readonly<Record<string, string>> | undefined,
  make: (name: string) => string,
): Record<string, string> {
  const missing = names.filter((name) => kept?.[name] === undefined);
  return { ...kept, ...Object.fromEntries(missing.map((name) => [name, make(name)])) };
}

function parse(text: string, path: string): z.infer<typeof Stored> {
  try {
    return Stored.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} is damaged: restore it from a backup, or remove all data with it.`);
  }
}
