// How things stand: the monitor itself, the shop on one page, alerts and objectives; and SQL.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import { evaluateInstant } from '../promql/evaluate.ts';
import { type SloStatus, sloStatus } from '../slo-status.ts';
import { type ApiParts, finite } from './parts.ts';
import { redOf } from './services.ts';
import { silenceOf } from './silences.ts';
import { iso } from './times.ts';

type StateHandlers = Pick<
  Handlers<typeof monitorApi>,
  'monitorHealth' | 'monitorSummary' | 'listAlerts' | 'listSlos' | 'runSql'
>;

export function stateHandlers(parts: ApiParts): StateHandlers {
  const { env, store, alerting, series } = parts;
  const objectives = (): Promise<SloStatus[]> =>
    sloStatus(
      (expr, atMs, signal) => evaluateInstant(expr, atMs, series, signal ? { signal } : {}),
      env.nowMs(),
    );
  return {
    monitorHealth: async () => ({ status: 200, body: healthOf(parts) }),
    monitorSummary: async () => {
      const nowMs = env.nowMs();
      const red = await redOf(parts, nowMs);
      const sum = (values: Iterable<number>): number =>
        [...values].reduce((all, one) => all + one, 0);
      const rate = sum(red.rate.values());
      const orders = 'sum(rate(orders_accepted_total[5m]))';
      const [ordersPerS] = await evaluateInstant(orders, nowMs, series);
      const targets = parts.targets.list();
      const { alerts } = alerting.report();
      const slos = await objectives();
      const body = {
        at: iso(nowMs),
        services: {
          up: targets.filter(({ up }) => up).length,
          down: targets.filter(({ up }) => !up).length,
        },
        requestsPerS: rate,
        errorShare: rate > 0 ? sum(red.errors.values()) / rate : null,
        ordersPerS: finite(ordersPerS?.value ?? 0) ?? 0,
        alerts: {
          firing: alerts.filter(({ status }) => status === 'firing').length,
          pending: alerts.filter(({ status }) => status === 'pending').length,
        },
        objectives: slos.map(({ slo, budgetLeft }) => ({
          name: slo,
          ok: budgetLeft === null ? null : budgetLeft >= 0,
        })),
      };
      return { status: 200, body };
    },
    listAlerts: async () => ({ status: 200, body: alertsOf(parts) }),
    listSlos: async () => ({ status: 200, body: { slos: (await objectives()).map(sloOf) } }),
    runSql: async ({ body }) => ({ status: 200, body: await store.readOnlySql(body.sql) }),
  };
}

function healthOf({ store, targets, otlpPort }: ApiParts) {
  const { status, why, written, dropped, waiting, fileBytes, ...series } = store.state();
  const scraped = targets.list();
  const problems = [
    ...(status === 'open' ? [] : [`The store is ${status}: ${why ?? 'it was closed'}.`]),
    ...(series.seriesRefusedOf.length === 0 ? [] : [tooManySeries(series.seriesRefusedOf)]),
    ...(otlpPort === null ? ['OTLP is not taken in: no port could be opened.'] : []),
  ];
  return {
    status: problems.length === 0 ? ('up' as const) : ('degraded' as const),
    problems,
    store: {
      ...{ status, written, dropped, waiting, fileBytes },
      series: series.series,
      seriesRefused: series.seriesRefused,
    },
    otlpPort,
    targets: scraped.map(({ name, up, why: reason }) => ({
      ...{ name, up },
      ...(reason === undefined ? {} : { why: reason }),
    })),
  };
}

function tooManySeries(services: readonly string[]): string {
  const names = services.map((name) => name || 'the rules').join(', ');
  return (
    `Samples of new series were refused in the last 10 minutes (of ${names}): there are too many, ` +
    'or their labels are too long.'
  );
}

function alertsOf({ alerting }: ApiParts) {
  const { alerts, rules, history, silences, notifiers } = alerting.report();
  return {
    alerts: alerts.map(({ alert, status, labels, sinceMs, firedAtMs, ...rest }) => ({
      ...rest,
      ...{ name: alert, state: status, labels: { ...labels }, since: iso(sinceMs) },
      firedAt: firedAtMs === null ? null : iso(firedAtMs),
    })),
    rules: rules.map(({ alert, health, ...rest }) => ({
      ...rest,
      ...{ name: alert, health: health.state },
      ...(health.state === 'failing' ? { error: health.error } : {}),
    })),
    history: history.map(({ labels, annotations, firedAtMs, resolvedAtMs }) => ({
      ...{ name: labels['alertname'] ?? '', labels: { ...labels } },
      summary: annotations['summary'] ?? '',
      ...{ firedAt: iso(firedAtMs), resolvedAt: iso(resolvedAtMs) },
    })),
    silences: silences.map(silenceOf),
    notifiers: notifiers.map(({ name, status }) => ({ name, state: status.state })),
  };
}

function sloOf({ slo, ratio, budgetLeft, windows, ...rest }: SloStatus) {
  return {
    ...rest,
    ...{ name: slo, achieved: ratio, budgetLeftShare: budgetLeft },
    windows: windows.map(({ ratio: achieved, ...window }) => ({ ...window, achieved })),
  };
}
