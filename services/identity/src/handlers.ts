import {
  type Cache,
  type Context,
  type Environment,
  type Handlers,
  type Metrics,
  revocationsKept,
  userOf,
} from '@rushlight/chassis';
import { ApiError, accountApi, adminApi, identityApi, limits } from '@rushlight/contracts';
import type { LoginLimit } from './login-limit.ts';
import { type Passwords, weakness } from './passwords.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { Tokens } from './tokens.ts';
import type { NewUser, Users } from './users.ts';

export const { register, login, logout, changePassword } = accountApi;
export const { listUsers, addUser } = adminApi;
export const routes = {
  ...{ register, login, logout, changePassword, listUsers, addUser },
  ...identityApi,
};

export type Parts = {
  users: Users;
  passwords: Passwords;
  loginLimit: LoginLimit;
  keys: SigningKeys;
  tokens: Tokens;
  cache: Pick<Cache, 'delete'>;
  env: Environment;
  metrics: Metrics;
  lab: boolean;
};

export function createHandlers(parts: Parts): Handlers<typeof routes> {
  return { ...accountHandlers(parts), ...adminHandlers(parts), ...internalHandlers(parts) };
}

function accountHandlers(parts: Parts) {
  const { users, passwords, loginLimit, tokens, cache, env, metrics, lab } = parts;
  return {
    register: async ({ body: { studentId, password, name } }) => {
      const passwordHash = await hashNew(parts, studentId, password);
      await addOne(users, newUser(studentId, name, 'student', passwordHash));
      return { status: 201, body: { studentId } };
    },
    login: async ({ body: { studentId, password } }, context) => {
      await loginLimit.admit(studentId, addressOf(context)).catch((error: unknown) => {
        metrics.count('auth_attempts_total', { outcome: 'limited' });
        throw error;
      });
      const user = await users.find(studentId);
      // A demo login outside the lab is nobody's, and takes as long as nobody's.
      const usable = user && (lab || !user.lab) ? user : undefined;
      const right = await passwords.matches(usable?.passwordHash, password);
      metrics.count('auth_attempts_total', { outcome: right ? 'ok' : 'wrong' });
      if (!right || !usable) throw new ApiError('wrong_credentials');
      const token = await tokens.issue(usable.studentId, usable.role);
      metrics.count('jwt_tokens_issued_total', { role: usable.role });
      return { status: 200, body: { token, role: usable.role, expiresInS: tokens.livesS } };
    },
    logout: async (_, context) => {
      const { tokenId, expiresAtS } = userOf(context);
      await users.revoke({ tokenId, expiresAtS: Math.ceil(expiresAtS) });
      await cache.delete(revocationsKept.key);
      return { status: 204, body: undefined };
    },
    changePassword: async ({ body: { password, newPassword } }, context) => {
      const { studentId } = userOf(context);
      // Counted apart from logins: a blank stands in no id.
      await loginLimit.admit(`password of ${studentId}`, addressOf(context));
      const user = await users.find(studentId);
      const right = await passwords.matches(user?.passwordHash, password);
      if (!right) throw new ApiError('wrong_credentials');
      const passwordHash = await hashNew(parts, studentId, newPassword);
      const nowS = env.nowMs() / 1000;
      await users.changePassword(studentId, passwordHash, {
        subject: studentId,
        issuedBeforeS: nowS,
        expiresAtS: Math.ceil(nowS) + tokens.livesS,
      });
      await cache.delete(revocationsKept.key);
      return { status: 204, body: undefined };
    },
  } satisfies Partial<Handlers<typeof routes>>;
}

function adminHandlers(parts: Parts) {
  const { users } = parts;
  return {
    listUsers: async ({ query: { limit, cursor } }) => {
      const found = await users.list(limit + 1, cursor);
      const items = found.slice(0, limit).map(({ studentId, name, role, createdAtMs }) => ({
        studentId,
        name,
        role,
        createdAt: new Date(createdAtMs).toISOString(),
      }));
      const last = found.length > limit ? items.at(-1) : undefined;
      return { status: 200, body: { items, ...(last ? { nextCursor: last.studentId } : {}) } };
    },
    addUser: async ({ body: { studentId, role, password, name } }) => {
      const passwordHash = await hashNew(parts, studentId, password);
      await addOne(users, newUser(studentId, name ?? studentId, role, passwordHash));
      return { status: 201, body: { studentId, role } };
    },
  } satisfies Partial<Handlers<typeof routes>>;
}

function internalHandlers({ users, keys, tokens, metrics }: Parts) {
  return {
    jwks: async () => ({ status: 200, body: { keys: keys.published() } }),
    revocations: async () => ({ status: 200, body: { revocations: await users.revocations() } }),
    makeCrowd: async ({ body }) => {
      const ids = Array.from(
        { length: body.students },
        (_, index) => `crowd-${String(index + 1).padStart(5, '0')}`,
      );
      // Their wallets are opened by whoever asked; they have no password to log in with.
      await users.add(
        ids.map((studentId) => ({ ...newUser(studentId, studentId, 'student', null), lab: true })),
      );
      const students = await Promise.all(
        ids.map(async (studentId) => ({
          studentId,
          token: await tokens.issue(studentId, 'student'),
        })),
      );
      metrics.count('jwt_tokens_issued_total', { role: 'student' }, students.length);
      return { status: 200, body: { students } };
    },
  } satisfies Partial<Handlers<typeof routes>>;
}

function newUser(
  studentId: string,
  name: string,
  role: NewUser['role'],
  passwordHash: string | null,
): NewUser {
  return { studentId, name, role, passwordHash, lab: false, openingCents: 0 };
}

async function addOne(users: Users, user: NewUser): Promise<void> {
  const added = await users.add([user]);
  if (!added.has(user.studentId)) throw new ApiError('taken', { id: user.studentId });
}

/** Checks before it hashes: what is refused anyway must cost nothing. */
async function hashNew(parts: Parts, studentId: string, password: string): Promise<string> {
  const why = weakness(password, studentId);
  if (why) throw new ApiError('weak_password', { why, lengthMin: limits.passwordLengthMin });
  return parts.passwords.hash(password);
}

/** The address the gateway saw; a caller inside has none of its own to tell. */
function addressOf(context: Context): string {
  const given = context.request.headers['rushlight-client-address'];
  return typeof given === 'string' ? given : 'inside';
}
