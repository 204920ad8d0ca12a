// OTLP over HTTP: POST /v1/traces, /v1/metrics, /v1/logs.
//
// O1. What is taken in is never refused for want of room: the store drops the oldest and counts it,
//     so a sender never waits for a disk. Only more than `requestsMax` at once are sent away (503).
// O2. A body is bounded as it is sent (`bodyBytesMax`) and as it is unpacked (`inflatedBytesMax`).
// O3. Whatever is sent is answered: 200, with what was refused and why; 400 for what cannot be read;
//     413, 415, 503. Nothing of it is fatal, and nothing is half taken in.

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Environment } from '@rushlight/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TelemetryIntake, TelemetryKind } from '../store/face.ts';
import {
  type Encoding,
  exportAnswer,
  mediaTypes,
  type RejectedName,
  statusAnswer,
} from './answers.ts';
import { decodeJson } from './json.ts';
import { type Decoded, MalformedError, type MessageName } from './messages.ts';
import { decodeProtobuf } from './protobuf.ts';
import { logsOf } from './translate-logs.ts';
import { samplesOf } from './translate-metrics.ts';
import { spansOf } from './translate-traces.ts';
import type { Refusals } from './translation.ts';

export const receiverLimits = {
  bodyBytesMax: 4 * 1024 * 1024,
  inflatedBytesMax: 16 * 1024 * 1024,
  requestsMax: 64,
} as const;

export type ReceiverOptions = {
  intake: TelemetryIntake;
  env: Pick<Environment, 'nowMs'>;
  limits?: { bodyBytesMax: number; inflatedBytesMax: number; requestsMax: number };
  /** Told of every request, and how many of its records were refused. */
  onRequest?: (signal: TelemetryKind, result: RequestResult, refused: number) => void;
};

export type RequestResult = 'taken' | 'malformed' | 'too_large' | 'busy' | 'failed';

const inflate = promisify(gunzip);

/** google.rpc.Code */
const rpcCodes = { 400: 3, 413: 8, 415: 3, 500: 13, 503: 14 } as const;
type Status = keyof typeof rpcCodes;
const results: Record<Status, RequestResult> = {
  400: 'malformed',
  413: 'too_large',
  415: 'malformed',
  500: 'failed',
  503: 'busy',
};

class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: Status;

  constructor(status: Status, message: string) {
    super(message);
    this.status = status;
  }
}

/** Adds the three routes, with their own rules for bodies; the rest of the server keeps its own. */
export async function otlpReceiver(app: FastifyInstance, options: ReceiverOptions): Promise<void> {
  const { limits = receiverLimits } = options;
  let requests = 0;
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      Object.values(mediaTypes),
      { parseAs: 'buffer', bodyLimit: limits.bodyBytesMax },
      (_request, body, parsed) => parsed(null, body),
    );
    const known = signals(options);
    scope.setErrorHandler((error, request, reply) => {
      const signal = known.find(({ path }) => path === request.routeOptions.url);
      const refusal = refusalOf(error);
      if (signal) options.onRequest?.(signal.kind, results[refusal.status], 0);
      return refuse(refusal, request, reply);
    });
    scope.addHook('onRequest', async (_request, reply) => {
      if (requests >= limits.requestsMax) {
        throw new RefusedError(503, `${requests} requests are being read; send it again later.`);
      }
      requests += 1;
      reply.raw.once('close', () => {
        requests -= 1;
      });
    });
    for (const signal of known) addRoute(scope, signal, options, limits.inflatedBytesMax);
    done();
  });
}

function addRoute(
  scope: FastifyInstance,
  signal: Signal,
  { onRequest }: ReceiverOptions,
  inflatedBytesMax: number,
): void {
  scope.post(signal.path, async (request, reply) => {
    const body = await unpacked(request, inflatedBytesMax);
    const encoding = encodingOf(request);
    const refusals = signal.take(encoding, body);
    onRequest?.(signal.kind, 'taken', refusals.count);
    const rejected = { count: refusals.count, message: refusals.message() };
    await send(reply, 200, encoding, exportAnswer(encoding, signal.rejected, rejected));
  });
}

type Signal = {
  kind: TelemetryKind;
  path: string;
  rejected: RejectedName;
  /** @throws MalformedError */
  take: (encoding: Encoding, body: Buffer) => Refusals;
};

function signals({ intake, env }: ReceiverOptions): Signal[] {
  const nowUs = (): number => env.nowMs() * 1_000;
  return [
    {
      kind: 'spans',
      path: '/v1/traces',
      rejected: 'rejectedSpans',
      take: (encoding, body) => {
        const { records, refusals } = spansOf(decode('TraceRequest', encoding, body), nowUs());
        intake.spans(records);
        return refusals;
      },
    },
    {
      kind: 'samples',
      path: '/v1/metrics',
      rejected: 'rejectedDataPoints',
      take: (encoding, body) => {
        const { records, refusals } = samplesOf(decode('MetricsRequest', encoding, body), nowUs());
        intake.samples(records);
        return refusals;
      },
    },
    {
      kind: 'logs',
      path: '/v1/logs',
      rejected: 'rejectedLogRecords',
      take: (encoding, body) => {
        const { records, refusals } = logsOf(decode('LogsRequest', encoding, body), nowUs());
        intake.logs(records);
        return refusals;
      },
    },
  ];
}

function decode<Name extends MessageName>(
  name: Name,
  encoding: Encoding,
  body: Buffer,
): Decoded<Name> {
  return encoding === 'json' ? decodeJson(name, body.toString('utf8')) : decodeProtobuf(name, body);
}

async function unpacked(request: FastifyRequest, bytesMax: number): Promise<Buffer> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const packing = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (packing === 'identity') return body;
  if (packing !== 'gzip') {
    throw new RefusedError(
      415,
      `The content-encoding "${packing}" is not known; send gzip or none.`,
    );
  }
  try {
    return await inflate(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new RefusedError(
        413,
        `Unpacked, it has more than ${bytesMax} bytes; send less at once.`,
      );
    }
    throw new RefusedError(400, `It is no gzip: ${(error as Error).message}`);
  }
}

function encodingOf(request: FastifyRequest): Encoding {
  const type = request.headers['content-type'] ?? '';
  return type.startsWith(mediaTypes.protobuf) ? 'protobuf' : 'json';
}

async function refuse(
  { status, message }: { status: Status; message: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (status === 503) reply.header('retry-after', '1');
  const encoding = encodingOf(request);
  await send(reply, status, encoding, statusAnswer(encoding, rpcCodes[status], message));
}

function refusalOf(error: unknown): { status: Status; message: string } {
  if (error instanceof RefusedError) return error;
  if (error instanceof MalformedError) return { status: 400, message: error.message };
  const { statusCode, message } = error as { statusCode?: number; message: string };
  switch (statusCode) {
    case 413:
      return { status: 413, message: 'It is too large; send less at once.' };
    case 415: {
      const known = Object.values(mediaTypes).join(' or ');
      return { status: 415, message: `Its content-type is not known; send ${known}.` };
    }
    case undefined:
      return { status: 500, message: 'It could not be taken in.' };
    default:
      return { status: statusCode < 500 ? 400 : 500, message };
  }
}

async function send(
  reply: FastifyReply,
  status: number,
  encoding: Encoding,
  body: Buffer,
): Promise<void> {
  await reply.code(status).type(mediaTypes[encoding]).send(body);
}
