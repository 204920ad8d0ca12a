// A receiver on a port of its own, which remembers what it took in.

import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import type { LogRecord, Sample, Span } from '../src/model.ts';
import { otlpReceiver, type ReceiverOptions } from '../src/otlp/receiver.ts';

export type ReceiverUnderTest = AsyncDisposable & {
  url: string;
  spans: Span[];
  logs: LogRecord[];
  samples: Sample[];
};

export async function startReceiver(
  nowMs: number,
  limits?: ReceiverOptions['limits'],
): Promise<ReceiverUnderTest> {
  const spans: Span[] = [];
  const logs: LogRecord[] = [];
  const samples: Sample[] = [];
  const app = fastify({ forceCloseConnections: true });
  await otlpReceiver(app, {
    env: { nowMs: () => nowMs },
    intake: {
      spans: (records) => void spans.push(...records),
      logs: (records) => void logs.push(...records),
      samples: (records) => void samples.push(...records),
    },
    ...(limits ? { limits } : {}),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    logs,
    samples,
    [Symbol.asyncDispose]: async () => {
      await app.close();
    },
  };
}

export type Sent = { status: number; type: string | null; body: Buffer; headers: Headers };

export async function send(
  url: string,
  body: Uint8Array | string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Sent> {
  const answer = await fetch(url, { method: 'POST', body: body as string, headers });
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: Buffer.from(await answer.arrayBuffer()),
    headers: answer.headers,
  };
}
