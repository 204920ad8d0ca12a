// What was promised, what of its budget is left, and how fast it burns.

import {
  burnRates,
  burnWindows,
  objectiveNames,
  objectives,
  recordedObjective,
} from '@rushlight/monitor/rules';
import { type Dashboard, lines, number, type Panel, query, type Row } from './model.ts';
import { recorded } from './promql.ts';

type Name = (typeof objectiveNames)[number];

const share = (value: number): string => `${Number((value * 100).toPrecision(6))} %`;

function windowOf(slo: Name, windowDays: number): { bad: string; all: string } {
  const sumOf = (name: string): string =>
    `sum_over_time(${recorded(name, { slo })}[${windowDays}d])`;
  return { bad: sumOf('slo:errors:rate5m'), all: sumOf('slo:events:rate5m') };
}

function panelsOf(slo: Name): Panel[] {
  const { target, windowDays, promise, title } = objectives[slo];
  const budget = Number((1 - target).toPrecision(6));
  const { bad, all } = windowOf(slo, windowDays);
  const worst = burnRates[0].factor;
  return [
    number(
      `${title}: budget left`,
      `${promise} Of ${windowDays} days; below 0 the promise is broken.`,
      {
        ...{ unit: 'percentunit', width: 4, bound: { value: 0, wrong: 'below' } },
        queries: [query(`1 - ${bad} / ${all} / ${budget}`, 'left')],
      },
    ),
    number(
      `${title}: good so far`,
      `The share of good events of ${windowDays} days. Promised: ${share(target)}.`,
      {
        ...{ unit: 'percentunit', width: 4, bound: { value: target, wrong: 'below' } },
        queries: [query(`1 - ${bad} / ${all}`, 'good')],
      },
    ),
    lines(
      `${title}: burn rate`,
      `1 spends the budget in ${windowDays} days. The line, ${worst}, calls a person.`,
      {
        ...{ unit: 'short', width: 8, bound: { value: worst, wrong: 'above' } },
        queries: burnWindows.map((window) =>
          query(`${recordedObjective(slo, window).ratio} / ${budget}`, window),
        ),
      },
    ),
    lines(
      `${title}: bad and all`,
      'Events a second. With few in all, one bad one is a large share.',
      {
        ...{ unit: 'cps', width: 8 },
        queries: [
          query(recordedObjective(slo, '5m').errors, 'bad'),
          query(recordedObjective(slo, '5m').events, 'all'),
        ],
      },
    ),
  ];
}

const rows: Row[] = objectiveNames.map((slo) => ({
  title: objectives[slo].title,
  panels: panelsOf(slo),
}));

export const slo: Dashboard = {
  uid: 'rushlight-slo',
  title: 'Objectives',
  tells: 'What was promised, what of its budget is left, and how fast it burns.',
  rows,
};
