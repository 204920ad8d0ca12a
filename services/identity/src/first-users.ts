// Who can log in to a fresh installation: the demo users while the lab is on; otherwise one admin
// with the password that the operator chose, or one that is written to a file for the operator, once.

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@rushlight/chassis';
import type { Passwords } from './passwords.ts';
import type { NewUser, Users } from './users.ts';

const demoStudents = 50;
const demoOpeningCents = 100_000;

export async function addDemoUsers(users: Users, passwords: Passwords): Promise<void> {
  if (await users.find(`student${demoStudents}`)) return;
  // One hash serves all fifty: their password is public anyway, and starting stays quick.
  const [student, kitchen, admin] = await Promise.all(
    ['password123', 'kitchenpassword', 'adminpassword'].map((text) => passwords.hash(text)),
  );
  const made = (
    studentId: string,
    name: string,
    role: NewUser['role'],
    hash?: string,
  ): NewUser => ({
    studentId,
    name,
    role,
    passwordHash: hash ?? null,
    lab: true,
    openingCents: role === 'student' ? demoOpeningCents : 0,
  });
  await users.add([
    ...Array.from({ length: demoStudents }, (_, index) =>
      made(`student${index + 1}`, `Student ${index + 1}`, 'student', student),
    ),
    made('kitchen', 'Kitchen', 'kitchen', kitchen),
    made('admin', 'Admin', 'admin', admin),
  ]);
}

/**
 * Makes the first admin, unless there is one.
 *
 * @param options.password undefined: a random one, which is left in `first-admin-password`
 */
export async function addFirstAdmin(
  users: Users,
  passwords: Passwords,
  options: { dataFolder: string; log: Log; password: string | undefined },
): Promise<void> {
  if (await users.hasAdmin()) return;
  // The file comes first: an admin whose password nobody was told could never be replaced.
  const password = options.password ?? (await leavePassword(options));
  const passwordHash = await passwords.hash(password);
  const studentId = await freeAdminId(users);
  const admin: NewUser = {
    studentId,
    name: 'Admin',
    role: 'admin',
    passwordHash,
    lab: false,
    openingCents: 0,
  };
  await users.add([admin]);
  options.log.info({ studentId }, 'made the first admin');
}

async function leavePassword({ dataFolder, log }: { dataFolder: string; log: Log }) {
  const password = randomBytes(15).toString('base64url');
  const file = join(dataFolder, 'first-admin-password');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  log.info({ file }, 'the password of the first admin is in the file');
  return password;
}

/** `admin`, or where the lab's own admin has taken that name, `admin2`. */
async function freeAdminId(users: Users): Promise<string> {
  return (await users.find('admin')) ? 'admin2' : 'admin';
}
