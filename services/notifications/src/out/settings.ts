// Which messages go out how, as it is configured. Without any of it they are written to a file.

import type { Environment } from '@rushlight/chassis';
import { z } from 'zod';
import type { Channel } from './channel.ts';
import { addressOf, mailChannel } from './mail.ts';
import { smsChannel } from './sms-webhook.ts';

/** An id that any template must make an address of. */
const someStudent = 'student1';

export const outSettings = {
  /** smtp://user:password@host:587 (encrypted by STARTTLS) or smtps://user:password@host:465 */
  RUSHLIGHT_NOTIFICATIONS_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  RUSHLIGHT_NOTIFICATIONS_MAIL_FROM: z
    .string()
    .refine((text) => addressOf(text, '') !== undefined, { error: 'is no mail address' })
    .optional(),
  /** A mail address with {studentId} in it: `{studentId}@campus.example`. */
  RUSHLIGHT_NOTIFICATIONS_MAIL_TO: z
    .string()
    .refine((text) => text.includes('{studentId}'), { error: 'has no {studentId} in it' })
    .refine((text) => text === '{studentId}' || addressOf(text, someStudent) !== undefined, {
      error: 'makes no mail address of an id',
    })
    .optional(),
  RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'has characters that no header may have')
    .optional(),
  /** Of each channel, by this process. */
  RUSHLIGHT_NOTIFICATIONS_MESSAGES_PER_S: z.coerce.number().min(0.1).max(1_000).default(20),
  /** More than these do not wait to go out; the rest stays in the stream meanwhile. */
  RUSHLIGHT_NOTIFICATIONS_MESSAGES_WAITING_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000),
};

const Settings = z.object(outSettings);
export type OutSettings = z.output<typeof Settings>;

/** What is configured by halves, as sentences. */
export function mistakesIn(settings: OutSettings): string[] {
  const {
    RUSHLIGHT_NOTIFICATIONS_SMTP_URL: smtpUrl,
    RUSHLIGHT_NOTIFICATIONS_MAIL_FROM: from,
    RUSHLIGHT_NOTIFICATIONS_MAIL_TO: to,
    RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL: webhookUrl,
    RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_TOKEN: token,
  } = settings;
  const mail = { SMTP_URL: smtpUrl, MAIL_FROM: from, MAIL_TO: to };
  const missing = Object.entries(mail).filter(([, value]) => value === undefined);
  const isHalf = missing.length > 0 && missing.length < Object.keys(mail).length;
  return [
    ...(isHalf
      ? missing.map(([name]) => `RUSHLIGHT_NOTIFICATIONS_${name} is missing: mail needs it`)
      : []),
    ...(token !== undefined && webhookUrl === undefined
      ? ['RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL is missing: its token is there']
      : []),
  ];
}

/** The channels that are configured; nothing is opened before there is something to send. */
export function createChannels(settings: OutSettings, env: Pick<Environment, 'after'>): Channel[] {
  const {
    RUSHLIGHT_NOTIFICATIONS_SMTP_URL: smtpUrl,
    RUSHLIGHT_NOTIFICATIONS_MAIL_FROM: from,
    RUSHLIGHT_NOTIFICATIONS_MAIL_TO: to,
    RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL: webhookUrl,
    RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_TOKEN: token,
  } = settings;
  const hasMail = smtpUrl !== undefined && from !== undefined && to !== undefined;
  return [
    ...(hasMail ? [mailChannel({ url: smtpUrl, from, to, env })] : []),
    ...(webhookUrl === undefined ? [] : [smsChannel({ url: webhookUrl, token, env })]),
  ];
}
