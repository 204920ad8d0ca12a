// Mail by SMTP.

import type { Environment } from '@rushlight/chassis';
import { createTransport } from 'nodemailer';
import { type Notifier, SendError } from './notifier.ts';

const connectMsMax = 5_000;
const silenceMsMax = 10_000;
/** For a server that goes on talking, and never ends. */
const sendMsMax = 20_000;

/** One connection for each message: they are rare, and a kept one would only grow stale. */
export function mailNotifier(options: {
  /** smtp:// or smtps:// */
  url: string;
  from: string;
  to: readonly string[];
  env: Pick<Environment, 'after'>;
}): Notifier {
  const { url, from, to, env } = options;
  const { host } = new URL(url);
  const stop = new AbortController();
  const transport = createTransport({
    url,
    connectionTimeout: connectMsMax,
    greetingTimeout: connectMsMax,
    dnsTimeout: connectMsMax,
    socketTimeout: silenceMsMax,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: 'mail',
    send: async ({ subject, lines }) => {
      const text = `${lines.join('\n')}\n`;
      const ended = Promise.withResolvers<never>();
      const giveUp = (why: string) => (): void =>
        ended.reject(new SendError(`${host} did not take the mail: ${why}`));
      const cancel = env.after(sendMsMax, giveUp(`it was not done in ${sendMsMax} ms`));
      const onStop = giveUp('the monitor stops');
      stop.signal.addEventListener('abort', onStop);
      try {
        await Promise.race([
          transport.sendMail({ from, to: [...to], subject, text }),
          ended.promise,
        ]);
      } catch (error) {
        if (error instanceof SendError) throw error;
        const { code, responseCode } = error as { code?: string; responseCode?: number };
        const why = responseCode ?? code ?? 'it gave no reason';
        throw new SendError(`${host} did not take the mail: ${why}`);
      } finally {
        cancel();
        stop.signal.removeEventListener('abort', onStop);
      }
    },
    close: () => {
      stop.abort();
      transport.close();
    },
  };
}
