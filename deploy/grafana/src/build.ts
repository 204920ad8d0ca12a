// A dashboard's data as Grafana's JSON, by Grafana's own builders.
//
// J1. Data sources are variables: the same page asks Prometheus or the monitor, Loki or the monitor.
// J2. The same data gives the same text: no ids by chance, no dates.

import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import * as logsPanel from '@grafana/grafana-foundation-sdk/logs';
import * as loki from '@grafana/grafana-foundation-sdk/loki';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as tablePanel from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { dataSources } from './data-sources.ts';
import type { Bound, Dashboard, Panel, Query, Row } from './model.ts';
import { foreign } from './promql.ts';

const tag = 'rushlight';
const metricsVariable = { type: 'prometheus', uid: `\${${dataSources.prometheus.variable}}` };
const logsVariable = { type: 'loki', uid: `\${${dataSources.loki.variable}}` };
const columns = 24;
const heights = { lines: 8, number: 4, table: 8, logs: 10 } as const;
const [good, bad, quiet] = ['green', 'red', 'text'];

/** What Grafana loads. */
export function grafanaJson(dashboard: Dashboard): object {
  const builder = new grafana.DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(dashboard.tells)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('10s')
    .tooltip(grafana.DashboardCursorSync.Crosshair)
    .variables([sourceVariable('prometheus'), sourceVariable('loki')])
    .annotation(firingAlerts())
    .link(otherDashboards());
  for (const row of dashboard.rows) addRow(builder, row);
  return numbered(builder.build());
}

function sourceVariable(type: 'prometheus' | 'loki') {
  const { variable, label, uid, name } = dataSources[type];
  return new grafana.DatasourceVariableBuilder(variable)
    .label(label)
    .type(type)
    .current({ selected: true, text: name, value: uid });
}

function firingAlerts() {
  return new grafana.AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(metricsVariable)
    .enable(true)
    .iconColor(bad)
    .expr(foreign('ALERTS', { alertstate: 'firing' }))
    .titleFormat('{{alertname}}')
    .textFormat('{{service}}{{queue}}{{item}}')
    .step('10s');
}

function otherDashboards() {
  return new grafana.DashboardLinkBuilder('Rushlight')
    .type(grafana.DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true);
}

function addRow(builder: grafana.DashboardBuilder, { title, closed = false, panels }: Row): void {
  const row = new grafana.RowBuilder(title).collapsed(closed);
  const width = Math.max(6, Math.floor(columns / Math.min(panels.length, 3)));
  const built = panels.map((panel) => panelOf(panel, panel.width ?? width));
  if (closed) for (const panel of built) row.withPanel(panel);
  builder.withRow(row);
  if (!closed) for (const panel of built) builder.withPanel(panel);
}

function panelOf(panel: Panel, width: number): Builder<grafana.Panel> {
  const made = madeOf(panel);
  made.title(panel.title).description(panel.tells).span(width).height(heights[panel.kind]);
  return made;
}

function madeOf(panel: Panel) {
  switch (panel.kind) {
    case 'lines':
      return linesOf(panel);
    case 'number':
      return numberOf(panel);
    case 'table':
      return tableOf(panel);
    case 'logs':
      return logsOf(panel);
  }
}

type Of<K extends Panel['kind']> = Extract<Panel, { kind: K }>;

function linesOf({ unit, queries, bound, stacked }: Of<'lines'>) {
  const made = new timeseries.PanelBuilder()
    .datasource(metricsVariable)
    .unit(unit)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .showPoints(common.VisibilityMode.Never)
    // A gap of the telemetry is seen as a gap.
    .spanNulls(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .targets(queries.map((query, index) => metricsTarget(query, index, 'range')));
  if (unit !== 'dtdurations') made.axisSoftMin(0);
  if (stacked) {
    made.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  }
  if (bound !== undefined) {
    made
      .thresholds(thresholdsOf(bound, quiet))
      .thresholdsStyle(
        new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
      );
  }
  return made;
}

function numberOf({ unit, queries, bound }: Of<'number'>) {
  return new stat.PanelBuilder()
    .datasource(metricsVariable)
    .unit(unit)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(
      bound === undefined
        ? new grafana.ThresholdsConfigBuilder()
            .mode(grafana.ThresholdsMode.Absolute)
            .steps([{ value: null, color: quiet }])
        : thresholdsOf(bound, good),
    )
    .noValue('–')
    .targets(queries.map((query, index) => metricsTarget(query, index, 'range')));
}

function tableOf({ unit, queries }: Of<'table'>) {
  return new tablePanel.PanelBuilder()
    .datasource(metricsVariable)
    .unit(unit)
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true, __name__: true, job: true }, renameByName: {} },
    })
    .targets(queries.map((query, index) => metricsTarget(query, index, 'instant')));
}

function logsOf({ logql }: Of<'logs'>) {
  return new logsPanel.PanelBuilder()
    .datasource(logsVariable)
    .showTime(true)
    .wrapLogMessage(true)
    .enableLogDetails(true)
    .sortOrder(common.LogsSortOrder.Descending)
    .targets([
      new loki.DataqueryBuilder()
        .datasource(logsVariable)
        .refId('A')
        .expr(logql)
        .queryType('range')
        .maxLines(200),
    ]);
}

function metricsTarget(
  { expr, legend, exemplars = false }: Query,
  index: number,
  when: 'range' | 'instant',
): Builder<Dataquery> {
  const target = new prometheus.DataqueryBuilder()
    .datasource(metricsVariable)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr)
    .legendFormat(legend)
    .exemplar(exemplars)
    .editorMode(prometheus.QueryEditorMode.Code);
  return when === 'range'
    ? target.range()
    : target.instant().format(prometheus.PromQueryFormat.Table);
}

function thresholdsOf({ value, wrong }: Bound, fine: string) {
  const steps =
    wrong === 'above'
      ? [
          { value: null, color: fine },
          { value, color: bad },
        ]
      : [
          { value: null, color: bad },
          { value, color: fine },
        ];
  return new grafana.ThresholdsConfigBuilder().mode(grafana.ThresholdsMode.Absolute).steps(steps);
}

/** Panels have numbers, by which links lead to them. */
function numbered(dashboard: grafana.Dashboard): grafana.Dashboard {
  let id = 0;
  const number = (panel: grafana.Panel | grafana.RowPanel): void => {
    id += 1;
    panel.id = id;
    if ('panels' in panel) for (const inner of panel.panels ?? []) number(inner);
  };
  for (const panel of dashboard.panels ?? []) number(panel);
  return dashboard;
}
