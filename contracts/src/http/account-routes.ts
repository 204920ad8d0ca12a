// Accounts, tokens and wallets.

import { z } from 'zod';
import { type Route, roles } from './route.ts';
import { Cents, IdempotencyKey, line, Password, StudentId, Time } from './shapes.ts';

export const accountApi = {
  register: {
    method: 'POST',
    path: '/api/v1/register',
    summary: 'Open a student account. The wallet starts empty.',
    who: 'anyone',
    owner: 'identity',
    priority: 'read',
    body: z.strictObject({
      studentId: StudentId,
      password: Password,
      name: line(100),
    }),
    replies: { 201: z.strictObject({ studentId: StudentId }) },
    errors: ['taken', 'weak_password'],
  },
  login: {
    method: 'POST',
    path: '/api/v1/login',
    summary: 'Exchange id and password for a token.',
    who: 'anyone',
    owner: 'identity',
    priority: 'read',
    body: z.strictObject({ studentId: StudentId, password: Password }),
    replies: {
      200: z.strictObject({ token: z.string(), role: z.enum(roles), expiresInS: z.int() }),
    },
    errors: ['wrong_credentials'],
  },
  logout: {
    method: 'POST',
    path: '/api/v1/logout',
    summary: 'End this token everywhere, within 60 s.',
    who: roles,
    owner: 'identity',
    priority: 'read',
    replies: { 204: null },
    errors: [],
  },
  changePassword: {
    method: 'POST',
    path: '/api/v1/password',
    summary: 'Change your password. All of your earlier tokens end.',
    who: roles,
    owner: 'identity',
    priority: 'read',
    body: z.strictObject({ password: Password, newPassword: Password }),
    replies: { 204: null },
    errors: ['wrong_credentials', 'weak_password'],
  },
  wallet: {
    method: 'GET',
    path: '/api/v1/wallet',
    summary: 'Your balance and the newest entries behind it.',
    who: ['student'],
    owner: 'payments',
    priority: 'read',
    replies: {
      200: z.strictObject({
        balanceCents: z.int(),
        entries: z.array(
          z.strictObject({
            at: Time,
            kind: z.enum(['opening', 'top_up', 'capture', 'refund']),
            amountCents: z.int(),
            orderId: z.uuid().optional(),
          }),
        ),
      }),
    },
    errors: [],
  },
  topUp: {
    method: 'POST',
    path: '/api/v1/wallet/top-up',
    summary: "Put money into a student's wallet, once per key.",
    who: ['admin'],
    owner: 'payments',
    priority: 'read',
    headers: IdempotencyKey,
    body: z.strictObject({ studentId: StudentId, amountCents: Cents.min(1) }),
    replies: { 200: z.strictObject({ studentId: StudentId, balanceCents: z.int() }) },
    errors: ['unknown_user', 'key_reused', 'outcome_unknown'],
  },
} as const satisfies Record<string, Route>;
