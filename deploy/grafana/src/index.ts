// The dashboards, as data and as the files that Grafana loads.

import { processNames } from '@rushlight/contracts';
import { grafanaJson } from './build.ts';
import { infrastructure } from './infrastructure.ts';
import { kubernetes } from './kubernetes.ts';
import type { Dashboard } from './model.ts';
import { orderPath } from './order-path.ts';
import { overview } from './overview.ts';
import { serviceDashboard } from './service.ts';
import { slo } from './slo.ts';

export { foreignMetrics } from './foreign-metrics.ts';
export { bare, filledIn, type PanelQuery, queriesOf } from './queries.ts';

/** In the order in which somebody who was woken up reads them. */
export const dashboards: readonly Dashboard[] = [
  overview,
  orderPath,
  slo,
  infrastructure,
  kubernetes,
  ...processNames.map(serviceDashboard),
];

/** The text of every file in dashboards/, by its name. */
export function dashboardFiles(): Record<string, string> {
  return Object.fromEntries(
    dashboards.map((dashboard) => [
      `${dashboard.uid.replace('rushlight-', '')}.json`,
      `${JSON.stringify(grafanaJson(dashboard), undefined, 2)}\n`,
    ]),
  );
}
