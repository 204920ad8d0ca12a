// The same metrics in the newer of the two formats, which has a place for exemplars.
//
// Source: OpenMetrics 1.0, https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md

import { type Metric, Registry } from '@prometheus-io/client';

export type Exposition = { contentType: string; text: string };

/** Whether who scrapes asked for it. @param accept the header */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return /\bapplication\/openmetrics-text\b/.test(accept ?? '');
}

/**
 * Writes what a registry has. The registry itself is left alone: the library renames the counters of
 * the one that it writes in this format.
 */
export async function exposeOpenMetrics(
  registry: Registry,
  labels: Record<string, string>,
): Promise<Exposition> {
  const twin = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
  twin.setDefaultLabels(labels);
  for (const metric of registry.getMetricsAsArray() as unknown as Asked[]) {
    const { type, help, aggregator } = metric;
    const name = type === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
    const get = async () => ({ ...(await metric.get()), name });
    twin.registerMetric({ name, type, help, aggregator, get } as unknown as Metric);
  }
  return { contentType: twin.contentType, text: await twin.metrics() };
}

/** What a registry asks of a metric. */
type Asked = {
  name: string;
  type: string;
  help: string;
  aggregator: string;
  get(): Promise<object>;
};
