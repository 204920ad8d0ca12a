// The server on which OTLP/HTTP is taken in: a port of its own, which any OpenTelemetry SDK knows.
//
// S1. It takes telemetry from whoever reaches it, as every OTLP receiver does; so it listens where
//     the monitor listens, which is this machine unless it was told otherwise.
// S2. A port that is taken is a warning, and another port: two shops may live side by side.

import type { Environment, Log } from '@rushlight/chassis';
import Fastify, { type FastifyInstance } from 'fastify';
import { otlpReceiver, type ReceiverOptions } from './otlp/receiver.ts';
import type { TelemetryIntake } from './store/face.ts';

export type OtlpServer = { port: number; close(): Promise<void> };

/** @throws the error of the system when no port can be opened at all */
export async function startOtlpServer(options: {
  host: string;
  port: number;
  intake: TelemetryIntake;
  onRequest?: ReceiverOptions['onRequest'];
  env: Pick<Environment, 'nowMs'>;
  log: Log;
}): Promise<OtlpServer> {
  const { host, port, intake, onRequest, env, log } = options;
  const app = Fastify({
    logger: false,
    requestTimeout: 10_000,
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    http: { maxHeaderSize: 16_384, headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
  });
  await otlpReceiver(app, { intake, env, ...(onRequest ? { onRequest } : {}) });
  const taken = await listen(app, host, port);
  if (taken !== undefined) {
    log.warn({ port, error: taken }, 'the port of OTLP is taken; another one is opened');
    const failed = await listen(app, host, 0);
    if (failed !== undefined) throw failed;
  }
  const address = app.server.address();
  const opened = typeof address === 'object' && address ? address.port : port;
  log.info({ port: opened }, 'OTLP is taken in');
  return { port: opened, close: () => app.close() };
}

/** The error when the port is taken, or may not be opened by us. */
async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
): Promise<Error | undefined> {
  try {
    await app.listen({ host, port });
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES') return error as Error;
    throw error;
  }
}
