// An hour of a shop in which parts break, from a seed; what our alerts make of it, minute by minute,
// written as a test for `promtool test rules`: so that a real Prometheus says whether it agrees.

import type { FiringAlert } from '../alerting/alert-state.ts';
import { RecordedSeries } from '../alerting/recorded-series.ts';
import { ruleGroups } from '../alerting/rule-groups.ts';
import { RuleRunner } from '../alerting/rule-runner.ts';
import { evaluateInstant } from '../promql/evaluate.ts';
import { type MemorySeries, memorySeries } from './memory-series.ts';

const scrapeMs = 10_000;
const scrapes = 360;
const everyMs = 20_000;
const minuteMs = 60_000;

type Value = number | 'ended' | undefined;
type Hour = Map<string, Value[]>;

export type AlertHour = {
  /** The file for promtool: JSON, which is YAML. */
  promtoolTest: string;
  /** The names of the alerts that fired at some minute. */
  fired: string[];
};

/**
 * @param ruleFile the path of the rule file, as promtool finds it
 * @throws Error when a rule cannot be evaluated
 */
export async function alertHour(random: () => number, ruleFile: string): Promise<AlertHour> {
  const hour = makeHour(random);
  const firing = await judgeHour(hour);
  const names = ruleGroups.flatMap(({ alerts }) => alerts.map(({ name }) => name));
  const promtoolTest = JSON.stringify({
    rule_files: [ruleFile],
    evaluation_interval: `${everyMs / 1_000}s`,
    group_eval_order: ruleGroups.map(({ name }) => name),
    tests: [
      {
        interval: `${scrapeMs / 1_000}s`,
        input_series: [...hour].map(([series, values]) => ({ series, values: notationOf(values) })),
        alert_rule_test: firing.flatMap((alerts, minute) =>
          names.map((alertname) => ({
            eval_time: `${minute}m`,
            alertname,
            exp_alerts: alerts
              .filter(({ labels }) => labels['alertname'] === alertname)
              .map(written),
          })),
        ),
      },
    ],
  });
  const fired = new Set(firing.flat().map(({ labels }) => labels['alertname'] ?? ''));
  return { promtoolTest, fired: [...fired].sort() };
}

function written({ labels: { alertname: _, ...labels }, annotations }: FiringAlert) {
  return { exp_labels: labels, exp_annotations: annotations };
}

/** What fires at each full minute. */
async function judgeHour(hour: Hour): Promise<FiringAlert[][]> {
  const recorded = new RecordedSeries();
  const source = recorded.over(memorySeries([...hour].map(seriesOf)));
  const runner = new RuleRunner({
    groups: ruleGroups,
    evaluate: (expr, atMs) => evaluateInstant(expr, atMs, source),
    recorded,
    env: { monotonicMs: () => 0, after: () => () => undefined },
  });
  const minutes: FiringAlert[][] = [];
  for (let atMs = 0; atMs <= (scrapes - 1) * scrapeMs; atMs += everyMs) {
    for (const group of ruleGroups) await runner.run(group, atMs);
    if (atMs % minuteMs === 0) minutes.push(runner.firing());
  }
  for (const { record, name } of ruleNames()) {
    const health = runner.health(record ?? name ?? '');
    if (health.state !== 'ok') throw new Error(`${record ?? name}: ${JSON.stringify(health)}`);
  }
  return minutes;
}

function ruleNames(): { record?: string; name?: string }[] {
  return ruleGroups.flatMap(({ recording, alerts }) => [...recording, ...alerts]);
}

function seriesOf([name, values]: [string, Value[]]): MemorySeries {
  const { metric = '', labels = '' } = /^(?<metric>\w+)\{(?<labels>.*)\}$/.exec(name)?.groups ?? {};
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
  const samples = values.flatMap((value, index): [number, number | 'ended'][] =>
    value === undefined ? [] : [[index * scrapeMs, value]],
  );
  return { labels: { ...Object.fromEntries(pairs), __name__: metric }, samples };
}

function notationOf(values: readonly Value[]): string {
  return values
    .map((value) => (value === undefined ? '_' : value === 'ended' ? 'stale' : String(value)))
    .join(' ');
}

// --- The hour ------------------------------------------------------------------------------------

/** Whether it is bad now, at each scrape: a calm hour, or one or two spells of up to 15 minutes. */
type Spells = (scrape: number) => boolean;

function makeHour(random: () => number): Hour {
  const hour: Hour = new Map();
  const whole = (max: number): number => Math.floor(random() * max);
  const spells = (): Spells => {
    const all = Array.from({ length: whole(3) }, () => {
      const from = whole(scrapes);
      return [from, from + 3 + whole(90)] as const;
    });
    return (scrape) => all.some(([from, to]) => scrape >= from && scrape < to);
  };
  const dead = new Map(
    ['gateway', 'orders', 'payments', 'kitchen'].map((name) => [name, spells()]),
  );
  const add = (name: string, service: string, labels: string, at: (scrape: number) => number) => {
    const isDead = dead.get(service);
    let wasThere = false;
    const values = Array.from({ length: scrapes }, (_, scrape): Value => {
      const isThere = isDead === undefined || !isDead(scrape) || name === 'up';
      const value = isThere ? at(scrape) : wasThere ? 'ended' : undefined;
      wasThere = isThere;
      return value;
    });
    const more = labels === '' ? '' : `,${labels}`;
    hour.set(`${name}{service="${service}",instance="${service}-1"${more}}`, values);
  };
  const counter = (perScrape: (scrape: number) => number): ((scrape: number) => number) => {
    let sum = 0;
    return (scrape) => {
      sum += perScrape(scrape);
      return sum;
    };
  };
  const gauge = (calm: number, bad: number): ((scrape: number) => number) => {
    const isBad = spells();
    return (scrape) => (isBad(scrape) ? bad : calm) + whole(5) / 1_000;
  };
  for (const [service, isDead] of dead) {
    add('up', service, '', (scrape) => (isDead(scrape) ? 0 : 1));
    addRequests({ add, counter, spells, whole }, service);
    addProcess({ add, counter, gauge, spells }, service);
  }
  addShop({ add, counter, gauge, spells, whole });
  return hour;
}

type Making = {
  add: (name: string, service: string, labels: string, at: (scrape: number) => number) => void;
  counter: (perScrape: (scrape: number) => number) => (scrape: number) => number;
  gauge: (calm: number, bad: number) => (scrape: number) => number;
  spells: () => Spells;
  whole: (max: number) => number;
};

function addRequests(
  { add, counter, spells, whole }: Omit<Making, 'gauge'>,
  service: string,
): void {
  const isSlow = spells();
  const fails = spells();
  const labels = 'method="POST",route="/api/v1/orders"';
  const requests = Array.from({ length: scrapes }, () => 50 + whole(100));
  const at = (scrape: number): number => requests[scrape] ?? 0;
  const bad = (scrape: number): number => (fails(scrape) ? Math.floor(at(scrape) / 3) : 0);
  const slow = (scrape: number): number => (isSlow(scrape) ? Math.floor(at(scrape) / 2) : 0);
  add('http_requests_total', service, `${labels},status="503"`, counter(bad));
  if (service === 'gateway') {
    add('orders_failed_total', service, 'reason="unavailable"', counter(bad));
  }
  const good = counter((scrape) => at(scrape) - bad(scrape));
  add('http_requests_total', service, `${labels},status="201"`, good);
  const name = 'http_request_duration_seconds';
  const quick = (scrape: number): number => at(scrape) - slow(scrape);
  add(`${name}_bucket`, service, `${labels},le="0.25"`, counter(quick));
  add(`${name}_bucket`, service, `${labels},le="1"`, counter(quick));
  add(`${name}_bucket`, service, `${labels},le="5"`, counter(at));
  add(`${name}_bucket`, service, `${labels},le="+Inf"`, counter(at));
  add(`${name}_count`, service, labels, counter(at));
  add(
    `${name}_sum`,
    service,
    labels,
    counter((scrape) => quick(scrape) / 16 + slow(scrape) * 4),
  );
}

function addProcess({ add, counter, gauge, spells }: Omit<Making, 'whole'>, service: string): void {
  const isBusy = spells();
  const cpu = counter((scrape) => (isBusy(scrape) ? 9.75 : 1.25));
  add('process_cpu_seconds_total', service, '', cpu);
  add('process_resident_memory_bytes', service, '', gauge(2 ** 28, 2 ** 31));
  add('nodejs_eventloop_lag_p99_seconds', service, '', gauge(0.01, 0.75));
  const isEmpty = spells();
  add('scrape_samples_scraped', service, '', (scrape) => (isEmpty(scrape) ? 0 : 300));
}

function addShop({ add, counter, gauge, spells, whole }: Making): void {
  const accepted = 'outcome="stock_verified"';
  add(
    'orders_accepted_total',
    'orders',
    accepted,
    counter(() => 40 + whole(60)),
  );
  const sweeps = spells();
  add(
    'orders_failed_total',
    'orders',
    'reason="deadline"',
    counter((n) => (sweeps(n) ? whole(20) : 0)),
  );
  const declines = spells();
  add(
    'payments_total',
    'payments',
    'outcome="captured"',
    counter(() => 40 + whole(20)),
  );
  const declined = counter((scrape) => (declines(scrape) ? 20 + whole(10) : whole(2)));
  add('payments_total', 'payments', 'outcome="payment_declined"', declined);
  const stock = counter(() => -whole(3));
  add('inventory_stock', 'inventory', 'item="dates"', (scrape) => 300 + stock(scrape));
  add('inventory_stock', 'inventory', 'item="soup"', gauge(40, 4));
  add('bus_queue_depth', 'kitchen', 'queue="kitchen"', gauge(3, 5_000));
  add('bus_queue_oldest_seconds', 'orders', 'queue="orders"', gauge(0, 45));
  const fails = spells();
  add('dead_letters', 'orders', 'queue="orders"', (scrape) => (fails(scrape) ? 3 : 0));
  const opens = spells();
  const breaker = (scrape: number): number => (opens(scrape) ? (scrape % 3 === 0 ? 1 : 2) : 0);
  add('breaker_state', 'gateway', 'target="orders"', breaker);
  add('disk_available_bytes', 'orders', 'volume="data"', gauge(5e10, 2e9));
  add('disk_size_bytes', 'orders', 'volume="data"', () => 1e11);
  add('postgres_connections', 'orders', '', gauge(30, 95));
  add('postgres_connections_max', 'orders', '', () => 100);
}
