// Calls to other services.
//
// C1. Every call has a deadline, and takes what is left of it along.
// C2. An answer is a value or an ApiError; no answer is an UnavailableError: the effect may exist.
// C3. A call is sent again only when that changes nothing (a GET, never sent, or repeatable by its
//     contract), only while its deadline lasts, and only within the retry budget.
// C4. While the breaker is open nothing is sent. A call that our side gave up, or gave too little
//     time, says nothing about the neighbour.
// C5. Of several replicas one takes the call: see replicas.ts.

import type { Call, Reply, Route } from '@rushlight/contracts';
import type { Dispatcher } from 'undici';
import { BreakerOpenError, type BreakerStatus } from '../breaker.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { backoffMs, createRetryBudget, type RetryBudget } from '../retry-budget.ts';
import { UnavailableError } from '../store/store.ts';
import { currentSpan, endingWith, type Span } from '../tracing/span.ts';
import { formatTraceparent } from '../tracing/trace-context.ts';
import { deadlineHeaderName } from './deadline.ts';
import type { User } from './principal.ts';
import { pingOf, type Replica, Replicas } from './replicas.ts';
import type { ServiceTokens } from './service-token.ts';
import { errorOf, type ForwardCall, type RawAnswer, requestOf, wasNeverSent } from './wire.ts';

export type CallOptions = {
  /** Milliseconds from now; 2,000 unless given. */
  deadlineMs?: number;
  /** On whose behalf. */
  user?: User | undefined;
  signal?: AbortSignal;
  /** Calls with the same key go to the same replica, while it works. */
  key?: string | undefined;
};

export type Client = {
  readonly target: string;
  /** How many there are of it. */
  readonly replicas: number;
  /** To which of them calls with this key go while all work. */
  replicaOf(key: string): number;
  /** @throws ApiError for an answer that is an error, UnavailableError for no answer. */
  call<R extends Route>(route: R, call: Call<R>, options?: CallOptions): Promise<Reply<R>>;
  /** The answer as it came, errors of the service included. */
  forward(route: Route, call: ForwardCall, options?: CallOptions): Promise<RawAnswer>;
  /** Opens a stream; the caller pipes and ends it. No deadline but that of the first byte. */
  stream(route: Route, call: ForwardCall, options?: CallOptions): Promise<Dispatcher.ResponseData>;
  /** Throws when it does not answer /ping. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type ClientOptions = {
  target: string;
  /** The base URL of each replica: at least one. */
  urls: readonly string[];
  tokens: Pick<ServiceTokens, 'sign'>;
  env: Environment;
  metrics: Metrics;
  log?: Log;
  connectionsMax?: number;
};

const stateValues = { closed: 0, 'half-open': 1, open: 2 } as const;
const defaultDeadlineMs = 2_000;
const triesMax = 3;
/** A neighbour that was given less time than this is not blamed for its silence. */
const judgedFromMs = 50;
const answerBytesMax = 64 * 1024 * 1024;

export function createClient(options: ClientOptions): Client {
  const { target, env, log, metrics, tokens } = options;
  const budget = createRetryBudget(env);
  const replicas = new Replicas({
    ...{ target, urls: options.urls, env, answerBytesMax },
    connectionsMax: options.connectionsMax ?? 32,
    judge: (error) => {
      if (error instanceof GivenUpError) return 'nothing';
      return error instanceof UnavailableError ? 'trouble' : 'works';
    },
    onState: tellOutages(target, log),
  });
  metrics.onScrape(() => metrics.set('breaker_state', { target }, stateValues[replicas.outlook]));
  const sender = { ...options, replicas, budget };
  const send = async (route: Route, call: ForwardCall, callOptions: CallOptions = {}) => {
    const span = spanOfCall(target, route);
    if (!span) return await sendWithRetries(sender, route, call, callOptions);
    const headers = { ...call.headers, traceparent: formatTraceparent(span) };
    return await endingWith([span], async () => {
      const answer = await sendWithRetries(sender, route, { ...call, headers }, callOptions);
      if (answer.status >= 500) span.fail(String(answer.status));
      span.set({ 'http.response.status_code': answer.status });
      return answer;
    });
  };

  return {
    target,
    replicas: replicas.all.length,
    replicaOf: (key) => replicas.indexOf(key),
    call: async <R extends Route>(route: R, call: Call<R>, callOptions?: CallOptions) => {
      const answer = await send(route, call as ForwardCall, callOptions);
      if (answer.status >= 400) throw errorOf(answer, target);
      const body = answer.text === '' ? undefined : JSON.parse(answer.text);
      return { status: answer.status, body } as Reply<R>;
    },
    forward: send,
    stream: async (route, call, { user, signal } = {}) => {
      try {
        const request = await requestOf(route, call, tokens, user);
        const limits = { headersTimeout: 5_000, bodyTimeout: 60_000 };
        const { streams } = replicas.pick(undefined, new Set());
        return await streams.request({ ...request, ...limits, ...(signal ? { signal } : {}) });
      } catch (error) {
        throw new UnavailableError(target, `${target} opened no stream`, { cause: error });
      }
    },
    ping: async () => {
      await Promise.any(replicas.all.map(pingOf)).catch((error: AggregateError) => {
        throw error.errors[0];
      });
    },
    close: () => replicas.close(),
  };
}

/** Undefined where nothing is traced. */
function spanOfCall(target: string, { method, path }: Route): Span | undefined {
  return currentSpan()?.child({
    name: `${method} ${path}`,
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'http.route': path,
      'server.address': target,
    },
  });
}

/** An outage of a replica is two lines in the log, however often it is probed. */
function tellOutages(target: string, log: Log | undefined) {
  const down = new Set<string>();
  return (url: string, status: BreakerStatus): void => {
    if (status === 'open' && !down.has(url)) {
      down.add(url);
      log?.warn({ target, url }, 'does not answer: it is asked once a second until it does');
    } else if (status === 'closed' && down.delete(url)) log?.info({ target, url }, 'answers again');
  };
}

type Sender = ClientOptions & { replicas: Replicas; budget: RetryBudget };

/** One call with its further tries (C1, C3, C4, C5). */
async function sendWithRetries(
  sender: Sender,
  route: Route,
  call: ForwardCall,
  options: CallOptions,
): Promise<RawAnswer> {
  const { target, env, metrics, budget, replicas } = sender;
  const count = (outcome: 'answered' | 'unknown'): void =>
    metrics.count('http_client_requests_total', { target, route: route.path, outcome });
  const endsMs = env.monotonicMs() + (options.deadlineMs ?? defaultDeadlineMs);
  budget.onFirstTry();
  const tried = new Set<Replica>();
  for (let attempt = 1; ; attempt++) {
    const replica = replicas.pick(options.key, tried);
    tried.add(replica);
    try {
      const leftMs = endsMs - env.monotonicMs();
      const send = () => sendOnce(sender, replica, route, call, options, leftMs);
      const answer = await replica.breaker.run(send);
      count('answered');
      return answer;
    } catch (error) {
      count('unknown');
      // Another replica is no further try: this one has not begun.
      if (wasNeverSent(error) && tried.size < replicas.all.length) continue;
      const waitMs = backoffMs(env, attempt, { baseMs: 25, maxMs: 500 });
      const late = env.monotonicMs() + waitMs >= endsMs;
      const harmless = route.method === 'GET' || route.repeatable === true || wasNeverSent(error);
      const open = error instanceof BreakerOpenError;
      if (open || !harmless || late || attempt >= triesMax || !budget.tryRetry()) throw error;
      metrics.count('http_client_retries_total', { target });
      await env.sleep(waitMs, options.signal);
    }
  }
}

async function sendOnce(
  { target, replicas, tokens }: Sender,
  replica: Replica,
  route: Route,
  call: ForwardCall,
  { user, signal }: CallOptions,
  leftMs: number,
): Promise<RawAnswer> {
  const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(leftMs)));
  const headers = { ...call.headers, [deadlineHeaderName]: String(Math.ceil(leftMs)) };
  replica.underWay += 1;
  try {
    const response = await replica.pool.request({
      ...(await requestOf(route, { ...call, headers }, tokens, user)),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await response.body.text();
    if (response.headers['connection'] === 'close') replicas.leaves(replica);
    return { status: response.statusCode, headers: response.headers, text };
  } catch (error) {
    const why = `${target} did not answer ${route.path}`;
    const givenUp = signal?.aborted || leftMs < judgedFromMs;
    if (givenUp) throw new GivenUpError(target, why, { cause: error });
    throw new UnavailableError(target, why, { cause: error });
  } finally {
    replica.underWay -= 1;
  }
}

/** No answer, because our side did not wait for it. */
class GivenUpError extends UnavailableError {}
