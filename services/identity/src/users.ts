// The users table and the revocations: each function is one atomic operation.

import type { Environment, PostgresStore } from '@rushlight/chassis';
import type { EventOf, Role } from '@rushlight/contracts';

export type NewUser = {
  studentId: string;
  name: string;
  role: Role;
  passwordHash: string | null;
  lab: boolean;
  /** What a student's wallet opens with. */
  openingCents: number;
};

export type StoredUser = {
  studentId: string;
  name: string;
  role: Role;
  passwordHash: string | undefined;
  lab: boolean;
  createdAtMs: number;
};

export type Revocation = EventOf<'token.revoked'>;

export type Users = {
  /** Adds those whose id is free; returns their ids. Students get a wallet by event. */
  add(users: readonly NewUser[]): Promise<Set<string>>;
  find(studentId: string): Promise<StoredUser | undefined>;
  /** By id, after the cursor. */
  list(limit: number, after: string | undefined): Promise<StoredUser[]>;
  hasAdmin(): Promise<boolean>;
  /** Changes the password and ends all earlier tokens, in one step. */
  changePassword(studentId: string, passwordHash: string, revocation: Revocation): Promise<void>;
  revoke(revocation: Revocation): Promise<void>;
  revocations(): Promise<Revocation[]>;
  forgetExpired(): Promise<void>;
};

type Row = {
  student_id: string;
  name: string;
  role: Role;
  password_hash: string | null;
  lab: boolean;
  created_ms: number;
};

const columns = `student_id, name, role, password_hash, lab,
                 (extract(epoch FROM created_at) * 1000)::float8 AS created_ms`;
const sql = {
  add: {
    name: 'users_add',
    text: `INSERT INTO users (student_id, name, role, password_hash, lab, created_at)
           SELECT u.*, to_timestamp($6 / 1000.0)
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[]) AS u
           ON CONFLICT (student_id) DO NOTHING RETURNING student_id`,
  },
  find: { name: 'users_find', text: `SELECT ${columns} FROM users WHERE student_id = $1` },
  list: {
    name: 'users_list',
    text: `SELECT ${columns} FROM users WHERE student_id > $1 ORDER BY student_id LIMIT $2`,
  },
  admin: {
    name: 'users_admin',
    text: "SELECT 1 AS one FROM users WHERE role = 'admin' AND NOT lab LIMIT 1",
  },
  password: {
    name: 'users_password',
    text: 'UPDATE users SET password_hash = $2 WHERE student_id = $1',
  },
  revoke: {
    name: 'revocations_add',
    text: `INSERT INTO revocations (revocation_id, token_id, subject, issued_before_s, expires_at_s)
           VALUES ($1, $2, $3, $4, $5)`,
  },
  revocations: {
    name: 'revocations_read',
    text: `SELECT token_id, subject, issued_before_s, expires_at_s::float8 AS expires_at_s
           FROM revocations WHERE expires_at_s > $1`,
  },
  forget: { name: 'revocations_forget', text: 'DELETE FROM revocations WHERE expires_at_s <= $1' },
};

export function createUsers(store: PostgresStore, env: Environment): Users {
  const nowS = (): number => Math.floor(env.nowMs() / 1000);
  const revocationValues = (revocation: Revocation): unknown[] => [
    env.newId(),
    revocation.tokenId ?? null,
    revocation.subject ?? null,
    revocation.issuedBeforeS ?? null,
    revocation.expiresAtS,
  ];
  return {
    add: (users) =>
      store.transaction('addUsers', async (tx) => {
        const values = [
          users.map((user) => user.studentId),
          users.map((user) => user.name),
          users.map((user) => user.role),
          users.map((user) => user.passwordHash),
          users.map((user) => user.lab),
          env.nowMs(),
        ];
        const rows = await tx.query<{ student_id: string }>(sql.add, values);
        const added = new Set(rows.map((row) => row.student_id));
        const students = users.filter(
          (user) => user.role === 'student' && added.has(user.studentId),
        );
        await tx.emit(
          'user.registered',
          students.map(({ studentId, name, openingCents }) => ({ studentId, name, openingCents })),
        );
        return added;
      }),
    find: async (studentId) => {
      const [row] = await store.query<Row>(sql.find, [studentId]);
      return row && userOfRow(row);
    },
    list: async (limit, after) => {
      const rows = await store.query<Row>(sql.list, [after ?? '', limit]);
      return rows.map(userOfRow);
    },
    hasAdmin: async () => (await store.query(sql.admin)).length > 0,
    changePassword: (studentId, passwordHash, revocation) =>
      store.transaction('changePassword', async (tx) => {
        await tx.query(sql.password, [studentId, passwordHash]);
        await tx.query(sql.revoke, revocationValues(revocation));
        await tx.emit('token.revoked', [revocation]);
      }),
    revoke: (revocation) =>
      store.transaction('revokeToken', async (tx) => {
        await tx.query(sql.revoke, revocationValues(revocation));
        await tx.emit('token.revoked', [revocation]);
      }),
    revocations: async () => {
      const rows = await store.query<{
        token_id: string | null;
        subject: string | null;
        issued_before_s: number | null;
        expires_at_s: number;
      }>(sql.revocations, [nowS()]);
      return rows.map((row) => ({
        ...(row.token_id === null ? {} : { tokenId: row.token_id }),
        ...(row.subject === null ? {} : { subject: row.subject }),
        ...(row.issued_before_s === null ? {} : { issuedBeforeS: row.issued_before_s }),
        expiresAtS: row.expires_at_s,
      }));
    },
    forgetExpired: () =>
      store.transaction('forgetRevocations', async (tx) => {
        await tx.query(sql.forget, [nowS()]);
      }),
  };
}

function userOfRow(row: Row): StoredUser {
  return {
    studentId: row.student_id,
    name: row.name,
    role: row.role,
    passwordHash: row.password_hash ?? undefined,
    lab: row.lab,
    createdAtMs: row.created_ms,
  };
}
