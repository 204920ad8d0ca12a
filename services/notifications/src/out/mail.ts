// Messages out by mail (SMTP).
//
// M1. The same order and step give the same Message-ID, in every process and at every attempt: a
//     repeated mail is one that servers and readers can tell.
// M2. An address is made of the student's id by a template, and is one plain address or none: what
//     a header or a list of recipients could be smuggled in with is no address.
// M3. A password goes over the network encrypted, or not at all.

import type { Environment } from '@rushlight/chassis';
import { createTransport } from 'nodemailer';
import { subjectOf } from '../messenger.ts';
import type { Attempt, Channel } from './channel.ts';

export type MailOptions = {
  /** smtp:// or smtps://, with user and password where the server wants them. */
  url: string;
  from: string;
  /** A mail address with `{studentId}` in it. */
  to: string;
  env: Pick<Environment, 'after'>;
  limits?: Partial<MailLimits>;
  /** For a server whose certificate is not signed by an authority that the system knows. */
  ca?: string;
};

type MailLimits = {
  connectMs: number;
  /** How long the server may be silent. */
  silenceMs: number;
  /** For a server that goes on talking, and never ends. */
  sendMs: number;
};

const defaultLimits: MailLimits = { connectMs: 5_000, silenceMs: 10_000, sendMs: 20_000 };
const connectionsMax = 4;
const messagesPerConnectionMax = 100;
const idleMsMax = 30_000;
const addressLengthMax = 254;

export function mailChannel(options: MailOptions): Channel {
  const { from, to, env } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { transport, host } = openTransport(options, limits);
  const stop = new AbortController();
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    name: 'mail',
    host,
    send: async ({ orderId, step, studentId, text }) => {
      const address = addressOf(to, studentId);
      if (address === undefined) return { outcome: 'refused', why: 'no_address' };
      const late = new AbortController();
      const cancel = env.after(limits.sendMs, () => late.abort());
      try {
        await transport.sendMail({
          from: { name: '', address: from },
          to: { name: '', address },
          subject: subjectOf(step),
          text: `${text}\n`,
          messageId: `<${orderId}.${step}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.any([stop.signal, late.signal]),
        });
        return { outcome: 'sent' };
      } catch (error) {
        if (late.signal.aborted) return { outcome: 'down', why: 'too_slow' };
        return attemptOf(error as SmtpFailure);
      } finally {
        cancel();
      }
    },
    close: () => {
      stop.abort();
      transport.close();
    },
  };
}

function openTransport({ url, ca }: MailOptions, limits: MailLimits) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const user = decodeURIComponent(username);
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const transport = createTransport({
    pool: true,
    maxConnections: connectionsMax,
    maxMessages: messagesPerConnectionMax,
    maxRequeues: 0, // Whether it comes again is decided here, where it is remembered.
    idleTimeout: idleMsMax,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: user !== '' && !isLocal, // M3
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(password) } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: limits.connectMs,
    greetingTimeout: limits.connectMs,
    dnsTimeout: limits.connectMs,
    socketTimeout: limits.silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { transport, host: hostname };
}

const plainAddress =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** Where a student gets mail; undefined when the template makes no address of this id (M2). */
export function addressOf(template: string, studentId: string): string | undefined {
  const address = template.replaceAll('{studentId}', () => studentId);
  return address.length <= addressLengthMax && plainAddress.test(address) ? address : undefined;
}

type SmtpFailure = { code?: string; responseCode?: number; command?: string };

/** What an error of the library means for the message. */
function attemptOf({ code, responseCode }: SmtpFailure): Attempt {
  const why = String(responseCode ?? code ?? 'unknown');
  const isAboutMessage = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (isAboutMessage && responseCode !== undefined && responseCode !== 421) {
    return { outcome: responseCode >= 500 ? 'refused' : 'later', why };
  }
  return { outcome: 'down', why };
}
