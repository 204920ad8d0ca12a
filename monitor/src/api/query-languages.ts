// PromQL and LogQL in the HTTP forms of Prometheus and Loki, so that a Grafana takes the monitor for
// either. Who may ask is as everywhere here; parameters come in the query or in a form.

import { type Authenticate, authorize } from '@rushlight/chassis';
import { monitorApi, type Route } from '@rushlight/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { QueryApi } from '../promql/query-api.ts';

type Answer = { status: number; body: unknown };
type Ask = (
  parameters: URLSearchParams,
  signal: AbortSignal,
  params: Readonly<Record<string, string>>,
) => Promise<Answer> | Answer;

const formBytesMax = 65_536;

/** Adds `/api/v1/*` and `/loki/api/v1/*`. */
export async function serveQueryLanguages(
  app: FastifyInstance,
  api: QueryApi,
  authenticate: Authenticate,
): Promise<void> {
  const { prometheus, loki } = api;
  const asks: Record<string, Ask> = {
    '/api/v1/query': prometheus.query,
    '/api/v1/query_range': prometheus.queryRange,
    '/api/v1/series': prometheus.series,
    '/api/v1/labels': prometheus.labels,
    '/api/v1/label/:name/values': (parameters, signal, { name = '' }) =>
      prometheus.labelValues(name, parameters, signal),
    '/api/v1/metadata': prometheus.metadata,
    '/api/v1/status/buildinfo': prometheus.buildInfo,
    '/loki/api/v1/query': loki.query,
    '/loki/api/v1/query_range': loki.queryRange,
    '/loki/api/v1/labels': loki.labels,
    '/loki/api/v1/label/:name/values': (parameters, signal, { name = '' }) =>
      loki.labelValues(name, parameters, signal),
    '/loki/api/v1/series': loki.series,
  };
  const route: Route = monitorApi.queryMetrics;
  const addRoutes: FastifyPluginAsync = async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: formBytesMax },
      (_, text, done) => done(null, text),
    );
    scope.addHook('onRequest', async (request) => {
      authorize(route, await authenticate(request, route));
    });
    for (const [url, ask] of Object.entries(asks)) {
      scope.route({
        method: ['GET', 'POST'],
        url,
        handler: async (request, reply) => await answer(ask, request, reply),
      });
    }
  };
  await app.register(addRoutes);
}

async function answer(ask: Ask, request: FastifyRequest, reply: FastifyReply) {
  const given = new AbortController();
  reply.raw.once('close', () => given.abort());
  const params = request.params as Record<string, string>;
  const { status, body } = await ask(parametersOf(request), given.signal, params);
  if (typeof body === 'string') return reply.status(status).type('text/plain').send(body);
  return reply.status(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

function parametersOf({ url, body }: FastifyRequest): URLSearchParams {
  const parameters = new URLSearchParams(url.split('?')[1] ?? '');
  if (typeof body === 'string') {
    for (const [name, value] of new URLSearchParams(body)) parameters.append(name, value);
  }
  return parameters;
}
