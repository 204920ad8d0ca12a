// What operators and their programs ask of every service: /ping, /health, /ready, /metrics.
//
// Liveness (/ping) never touches a dependency, so that a sick neighbour restarts nobody. Readiness
// says whether to send work here. Health names every dependency.

import { ApiError } from '@rushlight/contracts';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

export type Dependency = {
  name: string;
  /** Resolves when it works now. */
  check: () => Promise<void>;
  /** Without it nothing works here: /health says 503. Otherwise 200, "degraded". */
  needed: boolean;
};

export type HealthReport = {
  status: 'up' | 'degraded' | 'down';
  dependencies: Record<string, 'up' | 'down'>;
};

const checkTimeoutMs = 1_000;

export function addOperations(
  app: FastifyInstance,
  options: {
    dependencies: readonly Dependency[];
    isReady: () => boolean;
    metrics: Metrics;
    /** Serve /metrics to other machines too. */
    metricsOpen: boolean;
  },
): void {
  app.get('/ping', async () => ({ status: 'up' }));
  app.get('/ready', async (_, reply) => {
    const ready = options.isReady();
    return reply.status(ready ? 200 : 503).send({ ready });
  });
  app.get('/health', async (_, reply) => {
    const report = await checkHealth(options.dependencies);
    return reply.status(report.status === 'down' ? 503 : 200).send(report);
  });
  app.get('/metrics', async (request, reply) => {
    if (!options.metricsOpen && !isLoopback(request.socket.remoteAddress)) {
      throw new ApiError('forbidden', { needed: 'an address of this machine', role: request.ip });
    }
    const { contentType, text } = await options.metrics.expose(request.headers.accept);
    return reply.header('content-type', contentType).send(text);
  });
}

function isLoopback(address: string | undefined): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(address ?? '');
}

export async function checkHealth(dependencies: readonly Dependency[]): Promise<HealthReport> {
  const states = await Promise.all(
    dependencies.map(async ({ name, check, needed }) => ({ name, needed, up: await isUp(check) })),
  );
  const down = states.filter((state) => !state.up);
  return {
    status: down.length === 0 ? 'up' : down.some((state) => state.needed) ? 'down' : 'degraded',
    dependencies: Object.fromEntries(states.map(({ name, up }) => [name, up ? 'up' : 'down'])),
  };
}

async function isUp(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs);
  });
  const checked = check().then(
    () => true,
    () => false,
  );
  const up = await Promise.race([checked, timeout]);
  clearTimeout(timer);
  return up;
}
