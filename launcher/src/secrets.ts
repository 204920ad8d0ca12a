// The passwords of this installation: random, made once, in a file that only its owner can read.

import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { z } from 'zod';
import { readIfThere, writeWhole } from './files.ts';
import { LaunchError } from './launch-error.ts';

const Stored = z.object({
  /** Ties a cluster that lives elsewhere to this data folder. */
  installation: z.string().min(1),
  superuser: z.string().min(1),
  roles: z.record(z.string(), z.string().min(1)),
});
export type Secrets = z.infer<typeof Stored>;

const newPassword = (): string => randomBytes(24).toString('base64url');

/**
 * Reads the secrets, making those that are missing.
 *
 * @param roles the database roles that need a password
 * @throws LaunchError when the file is damaged
 */
export function openSecrets(path: string, roles: readonly string[]): Secrets {
  const text = readIfThere(path);
  const stored: Secrets =
    text === undefined
      ? { installation: newPassword(), superuser: newPassword(), roles: {} }
      : parse(text, path);
  const missing = roles.filter((role) => stored.roles[role] === undefined);
  if (text !== undefined) chmodSync(path, 0o600);
  if (text !== undefined && missing.length === 0) return stored;
  const added = Object.fromEntries(missing.map((role) => [role, newPassword()]));
  const secrets = { ...stored, roles: { ...stored.roles, ...added } };
  writeWhole(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function parse(text: string, path: string): Secrets {
  try {
    return Stored.parse(JSON.parse(text));
  } catch {
    throw new LaunchError(`${path} is damaged. Restore it, or start with --fresh.`);
  }
}
