// One lasting connection to RabbitMQ. A process has two: the broker stops to read from one that
// publishes while it has no memory or disk left, and acknowledgements must not wait behind that.
//
// W1. A lost connection is made again, with back-off and jitter, until it is closed.
// W2. No wait is without end: whatever the broker does not answer in time is an UnavailableError,
//     and a connection on which that happens is given up, for it may be a black hole.
// W3. What is wrong with the URL (user, password, virtual host) is told as what it is.
// W4. An outage is two lines in the log, however often the connection is tried.

import { type Channel, Connection } from 'rabbitmq-client';
import type { Environment } from '../../environment.ts';
import type { Log } from '../../log.ts';
import { UnavailableError } from '../../store/store.ts';
import { within } from '../../within.ts';

export type WireOptions = {
  url: string;
  /** Who connects; the broker shows it. */
  name: string;
  env: Environment;
  log: Log;
  /** The longest wait for one answer. */
  answerMsMax: number;
  /** After twice that much silence either side takes the other for dead. */
  heartbeatS: number;
};

const connectMsMax = 3_000;
const closeMsMax = 2_000;
const retryMsMin = 50;
const retryMsMax = 3_000;
/** As much as brokers take: most messages are then one frame. */
const frameBytesMax = 131_072;
const refusals = ['ACCESS_REFUSED', 'NOT_ALLOWED'];

export class Wire {
  readonly #options: WireOptions;
  #connection: Connection;
  readonly #channels = new Set<Channel>();
  #closed = false;
  #blocked: string | undefined;
  #unblocked = Promise.withResolvers<void>();
  #failure: Error | undefined;
  readonly #firstFailure = Promise.withResolvers<Error>();

  constructor(options: WireOptions) {
    this.#options = options;
    this.#connection = this.#connect();
  }

  /** Why the broker takes no messages now, in its words; undefined while it does. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** Resolves when the connection is lost, or cannot be made, for the first time. */
  get firstFailure(): Promise<Error> {
    return this.#firstFailure.promise;
  }

  /** Resolves when the broker takes messages (again). */
  get unblocked(): Promise<void> {
    return this.#blocked === undefined ? Promise.resolve() : this.#unblocked.promise;
  }

  /** A new channel. Throws UnavailableError when there is no connection in time. */
  async channel(): Promise<Channel> {
    const channel = await this.answer('a channel', this.#connection.acquire(emitThere));
    channel.on('error', (error: unknown) => {
      this.#options.log.warn({ error }, 'the bus closed a channel');
    });
    this.#channels.add(channel);
    channel.once('close', () => this.#channels.delete(channel));
    return channel;
  }

  /** Waits for what the broker has to say, and not longer than it may take (W2). */
  async answer<T>(what: string, work: Promise<T>, msMax?: number): Promise<T> {
    const { env } = this.#options;
    const answerMsMax = msMax ?? this.#options.answerMsMax;
    const connection = this.#connection;
    const late = Promise.withResolvers<never>();
    const cancel = env.after(answerMsMax, () => {
      // While it is not ready it is being made again, or the broker said that it takes nothing.
      if (connection === this.#connection && connection.ready) this.drop();
      late.reject(new Error(`no answer within ${answerMsMax} ms`));
    });
    try {
      return await Promise.race([work, late.promise]);
    } catch (error) {
      throw asUnavailable(what, error, this.#failure);
    } finally {
      cancel();
    }
  }

  /** Gives this connection up and makes another one. */
  drop(): void {
    if (this.#closed) return;
    this.#connection.unsafeDestroy();
    this.#connection = this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = this.#connection;
    // It waits for its channels without end, and closes none.
    for (const channel of this.#channels) void channel.close();
    await within(this.#options.env, closeMsMax, connection.close());
    this.#connection.unsafeDestroy();
    this.#unblocked.resolve();
  }

  #connect(): Connection {
    const { url, name, heartbeatS } = this.#options;
    const connection = new Connection({
      url,
      connectionName: name,
      heartbeat: heartbeatS,
      connectionTimeout: connectMsMax,
      acquireTimeout: this.#options.answerMsMax,
      retryLow: retryMsMin,
      retryHigh: retryMsMax,
      frameMax: frameBytesMax,
      noDelay: true,
    });
    const ours = (): boolean => connection === this.#connection;
    connection.on('error', (error: Error) => {
      if (!ours() || this.#closed) return;
      if (!this.#failure) this.#warn(error);
      this.#failure = error;
      this.#firstFailure.resolve(error);
      this.#unblock();
    });
    connection.on('connection', () => {
      if (!ours()) return;
      if (this.#failure) this.#options.log.info({}, 'the bus is connected again');
      this.#failure = undefined;
      this.#unblock();
    });
    connection.on('connection.blocked', (reason) => {
      if (!ours()) return;
      this.#blocked ??= String(reason);
      this.#options.log.warn({ reason }, 'the bus takes no messages now');
    });
    connection.on('connection.unblocked', () => {
      if (ours()) this.#unblock();
    });
    this.#unblock();
    return connection;
  }

  #unblock(): void {
    if (this.#blocked === undefined) return;
    this.#blocked = undefined;
    this.#unblocked.resolve();
    this.#unblocked = Promise.withResolvers<void>();
  }

  #warn(error: unknown): void {
    if (this.#closed) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ reason }, 'the bus is not connected; it is tried again');
  }
}

/** Otherwise errors of one channel would be taken for errors of the connection. */
const emitThere = { emitErrorsFromChannel: true } as const;

function asUnavailable(what: string, error: unknown, before: Error | undefined): UnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  const earlier = before && before !== error ? ` (${before.message})` : '';
  return new UnavailableError('bus', `bus: ${what}: ${reason}${earlier}`, { cause: error });
}

/** The code of AMQP in an error, or in what caused it. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

/** What a person must put right before we can connect (W3); undefined: waiting may help. */
export function mistakeIn(url: string, error: unknown): Error | undefined {
  const { host, username, pathname } = new URL(url);
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  if (code === 'PRECONDITION_FAILED') {
    return new Error(
      `The RabbitMQ at ${host} has a queue or exchange that was declared otherwise: ${said}. ` +
        'Let it run empty, delete it, and start again; or use another virtual host.',
      { cause: error },
    );
  }
  if (code === undefined || !refusals.includes(code)) return undefined;
  return new Error(
    `The RabbitMQ at ${host} refuses user "${username}" on virtual host ` +
      `"${decodeURIComponent(pathname.slice(1)) || '/'}": ${said}. Check RUSHLIGHT_BUS_URL.`,
    { cause: error },
  );
}
