// Who can log in to a fresh installation: the demo users while the lab is on; otherwise one admin
// with a password that is written to a file for the operator, once.

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

/** Makes the first admin, unless there is one, and leaves its password in `first-admin-password`. */
export async function addFirstAdmin(
  users: Users,
  passwords: Passwords,
  options: { dataFolder: string; log: Log },
): Promise<void> {
  if (await users.hasAdmin()) return;
  const password = randomBytes(15).toString('base64url');
  const passwordHash = await passwords.hash(password);
  const file = join(options.dataFolder, 'first-admin-password');
  // The file comes first: an admin whose password nobody was told could never be replaced.
  await mkdir(options.dataFolder, { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
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
  options.log.info({ studentId, file }, 'made the first admin; its password is in the file');
}

/** `admin`, or where the lab's own admin has taken that name, `admin2`. */
async function freeAdminId(users: Users): Promise<string> {
  return (await users.find('admin')) ? 'admin2' : 'admin';
}
