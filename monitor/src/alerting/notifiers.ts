// Who may be told: Slack by its incoming webhook, and mail by SMTP. Neither has to be there.
//
// T1. A notifier never waits without a limit, and tries `triesMax` times at most; what it could not
//     send is planned again by the loop.
// T2. The webhook's path and the SMTP password are secrets: no error and no log has them.

import type { Environment } from '@rushlight/chassis';
import { z } from 'zod';
import { mailNotifier } from './mail.ts';
import type { Notifier } from './notifier.ts';
import { slackNotifier } from './slack.ts';

const address = z.string().regex(/^[^\s@<>,]+@[^\s@<>,]+$/, 'is no mail address');

/** The variables of the monitor that say who is told. */
export const notifierSettings = z.object({
  /** An incoming webhook of Slack (or of what speaks like it). */
  RUSHLIGHT_MONITOR_ALERTS_SLACK_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** smtp://user:password@host:port, or smtps:// */
  RUSHLIGHT_MONITOR_ALERTS_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  RUSHLIGHT_MONITOR_ALERTS_MAIL_FROM: address.default('rushlight@localhost.localdomain'),
  /** Addresses, with commas between them. Mail is sent when these and the SMTP URL are given. */
  RUSHLIGHT_MONITOR_ALERTS_MAIL_TO: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .pipe(z.array(address).max(50))
    .optional(),
  /** Where people look at alerts; stands in messages. */
  RUSHLIGHT_MONITOR_ALERTS_LINK: z.url({ protocol: /^https?$/ }).optional(),
  /** An alert that goes on is told again after so long. */
  RUSHLIGHT_MONITOR_ALERTS_REPEAT_S: z.coerce
    .number()
    .min(60)
    .max(7 * 86_400)
    .default(4 * 3_600),
});
export type NotifierSettings = z.output<typeof notifierSettings>;

/** What is configured; nothing is opened before there is something to send. */
export function createNotifiers(
  settings: NotifierSettings,
  env: Pick<Environment, 'sleep' | 'after'>,
): Notifier[] {
  const slackUrl = settings.RUSHLIGHT_MONITOR_ALERTS_SLACK_URL;
  const smtpUrl = settings.RUSHLIGHT_MONITOR_ALERTS_SMTP_URL;
  const to = settings.RUSHLIGHT_MONITOR_ALERTS_MAIL_TO;
  const from = settings.RUSHLIGHT_MONITOR_ALERTS_MAIL_FROM;
  return [
    ...(slackUrl === undefined ? [] : [slackNotifier({ url: slackUrl, env })]),
    ...(smtpUrl === undefined || to === undefined
      ? []
      : [mailNotifier({ url: smtpUrl, from, to, env })]),
  ];
}
