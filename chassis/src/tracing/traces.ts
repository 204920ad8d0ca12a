// The traces of a service: begun here, sent to whoever the configuration names.

import { request } from 'undici';
import type { ServiceConfig } from '../config.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Post, startExporter } from './exporter.ts';
import { createTracer, type Tracer } from './tracer.ts';

/** Undefined where nobody is told: then nothing is traced, and it costs nothing. */
export function openTraces(options: {
  config: ServiceConfig;
  keptPerS: number;
  env: Environment;
  log: Log;
  metrics: Pick<Metrics, 'count'>;
  own: (what: string, close: () => Promise<void>) => void;
}): Tracer | undefined {
  const { config, env, log, metrics, keptPerS, own } = options;
  if (!config.otlp) return undefined;
  const { service, instance, otlp } = config;
  const exporter = startExporter({
    resource: {
      'service.namespace': 'rushlight',
      'service.name': service,
      'service.instance.id': instance,
    },
    post: postTo(otlp),
    env,
    log,
    onSpans: (outcome, count) => metrics.count('trace_spans_total', { outcome }, count),
  });
  own('traces', () => exporter.close());
  return createTracer({ sink: exporter, env, keptPerS });
}

/** Source: OpenTelemetry Protocol Exporter, the endpoint and the headers. */
function postTo({ endpoint, headers }: NonNullable<ServiceConfig['otlp']>): Post {
  const url = `${endpoint.href.replace(/\/$/, '')}/v1/traces`;
  return async (body, signal) => {
    const answer = await request(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-protobuf' },
      body,
      signal,
    });
    await answer.body.dump();
    return answer.statusCode;
  };
}
