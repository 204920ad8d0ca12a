// The one lasting connection of a process to the embedded bus: it hears notifications, and it owns
// the messages that this process handles.
//
// K1. Its session holds an advisory lock on a number, its owner number. When the session ends, for
//     whatever reason, the lock is gone at once, and with it every claim on messages.
// K2. A session that says nothing for `silenceMs` is ended by the server: a frozen process cannot
//     keep messages. A living one speaks every few seconds.
// K3. A lost connection is made again, with back-off and a new owner number; whoever listens is
//     told, because notifications may have been missed.

import { Client, escapeIdentifier } from 'pg';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { connectionOptions, defaultTimeouts } from '../store/pool.ts';
import { type Statement, UnavailableError } from '../store/store.ts';
import { within } from '../within.ts';
import { ownerLockClass } from './queue-statements.ts';

export type LinkOptions = {
  url: string;
  name: string;
  env: Environment;
  log: Log;
  silenceMs: number;
};

export type Session = {
  owner: number;
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
};

export type Link = {
  /** The session of now; undefined while there is none. */
  session(): Session | undefined;
  /** Hears a channel until the returned function; `connected` runs at every (re)connection. */
  hear(channel: string, heard: (payload: string) => void, connected: () => void): () => void;
  close(): Promise<void>;
};

type Ear = { channel: string; heard: (payload: string) => void; connected: () => void };

const closeMsMax = 3_000;
const reconnectMsMin = 25;
const reconnectMsMax = 3_000;

/** Opens the link in the background, and keeps it open until it is closed. */
export function openLink(options: LinkOptions): Link {
  const { env, log } = options;
  const ears = new Set<Ear>();
  const closing = new AbortController();
  let session: (Session & { client: Client }) | undefined;

  const tell = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      log.error({ error }, 'a listener of the bus failed');
    }
  };
  const listen = (client: Client, channels: Iterable<string>): Promise<unknown> =>
    Promise.all(
      [...channels].map((channel) => client.query(`LISTEN ${escapeIdentifier(channel)}`)),
    );

  const live = async (client: Client): Promise<void> => {
    const ended = new Promise<void>((done) => client.once('end', done));
    client.on('notification', ({ channel, payload }) => {
      for (const ear of ears) if (ear.channel === channel) tell(() => ear.heard(payload ?? ''));
    });
    await client.connect();
    const owner = await takeOwnerNumber(client, env);
    if (closing.signal.aborted) return; // Nobody else would end this connection.
    // Whoever begins to hear from now on sends a LISTEN of its own.
    const earlier = [...ears];
    session = { client, owner, run: (statement, values) => runOn(client, statement, values) };
    await listen(client, new Set(earlier.map((ear) => ear.channel)));
    for (const ear of earlier) if (ears.has(ear)) tell(ear.connected);
    const stopBeating = heartbeat(client, options);
    await ended;
    stopBeating();
  };

  const keep = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted; ) {
      const client = newClient(options);
      const startedMs = env.monotonicMs();
      const reason = await live(client).then(
        () => 'the connection ended',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      session = undefined;
      await client.end().catch(() => {});
      if (closing.signal.aborted) return;
      failures = env.monotonicMs() - startedMs > reconnectMsMax ? 1 : failures + 1;
      if (failures === 1) log.warn({ reason }, 'the bus is not connected; it is tried again');
      const wholeMs = Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(failures, 10));
      await env.sleep(wholeMs * (0.5 + env.random() / 2), closing.signal).catch(() => {});
    }
  };

  const kept = keep();
  return {
    session: () => session,
    hear: (channel, heard, connected) => {
      const ear: Ear = { channel, heard, connected };
      ears.add(ear);
      const current = session;
      if (current) {
        listen(current.client, [channel]).then(
          () => {
            if (ears.has(ear)) tell(connected);
          },
          () => {}, // The connection is lost: the next one listens to it.
        );
      }
      return () => ears.delete(ear);
    },
    close: async () => {
      closing.abort();
      const ended = session?.client.end().catch(() => {}) ?? Promise.resolve();
      await within(env, closeMsMax, Promise.all([ended, kept]));
    },
  };
}

/**
 * Always by index: a plan that was made while the queue was empty would read and sort all of it
 * when it is long.
 */
export const byIndex = '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off';

function newClient(options: LinkOptions): Client {
  const client = new Client({
    ...connectionOptions({ ...options, timeouts: defaultTimeouts }),
    // What a crash of the server undoes here is only that a message was tried or acknowledged: it
    // is delivered again, which everybody must live with anyway.
    options: `-c synchronous_commit=off -c idle_session_timeout=${options.silenceMs} ${byIndex}`,
  });
  client.on('error', () => {}); // The end of the connection follows, and is handled there.
  return client;
}

async function takeOwnerNumber(client: Client, env: Environment): Promise<number> {
  for (let tries = 0; tries < 10; tries++) {
    const owner = 1 + Math.floor(env.random() * 2_147_483_646);
    const { rows } = await client.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock($1, $2) AS taken',
      [ownerLockClass, owner],
    );
    if (rows[0]?.taken) return owner;
  }
  throw new Error('no free owner number in ten tries');
}

function heartbeat(client: Client, { env, silenceMs }: LinkOptions): () => void {
  let cancel = (): void => {};
  const beat = (): void => {
    client.query('SELECT 1').catch(() => {});
    cancel = env.after(silenceMs / 6, beat);
  };
  beat();
  return () => cancel();
}

async function runOn<Row extends object>(
  client: Client,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  try {
    const result = await client.query<Row>({
      name: statement.name,
      text: statement.text,
      values: values as unknown[],
    });
    return result.rows;
  } catch (error) {
    // What was claimed and could not be given back stays ours as long as this session lives: it must
    // not (K1). The next one is made at once.
    client.end().catch(() => {});
    throw new UnavailableError('bus', `bus: ${statement.name} failed`, { cause: error });
  }
}
