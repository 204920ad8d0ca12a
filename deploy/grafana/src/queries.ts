// What Grafana would ask, read from the files that it loads.

import { none } from './promql.ts';

type Target = { expr?: string; refId?: string };
type PanelJson = {
  title?: string;
  type?: string;
  datasource?: { type?: string };
  targets?: readonly Target[];
  panels?: readonly PanelJson[];
};

export type PanelQuery = {
  /** Where it stands: dashboard, panel, letter. */
  readonly where: string;
  readonly panel: string;
  readonly language: 'promql' | 'logql';
  readonly expr: string;
};

/** @param text of a file in dashboards/ */
export function queriesOf(text: string): PanelQuery[] {
  const { title, panels } = JSON.parse(text) as { title: string; panels: readonly PanelJson[] };
  return panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .flatMap((panel) =>
      (panel.targets ?? []).map(
        ({ expr = '', refId = '' }): PanelQuery => ({
          where: `${title}: ${panel.title} ${refId}`,
          panel: panel.title ?? '',
          language: panel.datasource?.type === 'loki' ? 'logql' : 'promql',
          expr,
        }),
      ),
    );
}

/** A query without the zero that stands where there is nothing. */
export function bare(expr: string): string {
  return expr.endsWith(none) ? expr.slice(0, -none.length) : expr;
}

/** A query as Grafana sends it, with its own variables filled in. */
export function filledIn(expr: string, times: { rateInterval: string; range: string }): string {
  return expr
    .replaceAll('$__rate_interval', times.rateInterval)
    .replaceAll('$__range', times.range);
}
