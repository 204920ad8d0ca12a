// Every query of every panel, asked of a real Prometheus that runs on the configuration in deploy/ and
// scraped a shop that was alive: with refusals, wrong passwords, a silent neighbour and a death. None
// may be refused or have nothing to say; those whose answer is known here must be right. The monitor of
// that shop answers them too.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processNames, publicApi } from '@rushlight/contracts';
import { bare, filledIn, foreignMetrics, type PanelQuery, queriesOf } from '@rushlight/grafana';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { type Exporters, startExporters } from '../src/exporters.ts';
import { place } from '../src/ordering.ts';
import { type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { missingPrograms } from '../src/programs.ts';
import {
  prometheusMissing,
  type ReferencePrometheus,
  startPrometheusIn,
} from '../src/prometheus.ts';
import { report } from '../src/report.ts';
import { openStream } from '../src/stream.ts';

const deploy = new URL('../../deploy/', import.meta.url).pathname;
const dashboards = join(deploy, 'grafana/dashboards');
const queries = readdirSync(dashboards)
  .flatMap((name) => queriesOf(readFileSync(join(dashboards, name), 'utf8')))
  .filter(({ language }) => language === 'promql');

/** Metrics of what cannot be run here, and why. */
const notRun: Readonly<Record<string, readonly string[]>> = {
  'Debian has no package of cAdvisor': foreignMetrics.cadvisor,
  'there is no cluster here': [
    ...foreignMetrics.kubeStateMetrics,
    ...foreignMetrics.kubelet,
    ...foreignMetrics.kubeletCadvisor,
  ],
  'RabbitMQ tells of itself, and the shop of this test has none': foreignMetrics.rabbitmq,
};
/** What a shop may live without: then a panel shows its zero. */
const mayNeverHappen = /Errors|Calls tried again|Store operations that failed|Alerts that fire/;

const missing = prometheusMissing();
if (missing !== undefined) report(`dashboards in Prometheus: not run, because ${missing}`);
const patient = { timeout: 420_000 };
const beside = test.skipIf(missing !== undefined);

const folder = mkdtempSync(join(tmpdir(), 'rushlight-dashboards-'));
let shop: Shop;
let students: Student[];
let itemIds: string[];
let prometheus: ReferencePrometheus;
let exporters: Exporters | undefined;

/** deploy's own configuration, with a quicker pulse; the shop and the exporters are its files. */
function configure(exporterTargets: readonly object[]): void {
  const from = join(deploy, 'prometheus');
  const text = readFileSync(join(from, 'prometheus.yml'), 'utf8')
    .replaceAll(/(scrape|evaluation)_interval: 10s/g, '$1_interval: 3s')
    .replace('scrape_timeout: 5s', 'scrape_timeout: 3s')
    .replace('../../.rushlight/targets.json', join(shop.data, 'targets.json'));
  expect(text).toContain(shop.data);
  writeFileSync(join(folder, 'prometheus.yml'), text);
  const rules = readFileSync(join(from, 'rushlight.rules.yml'), 'utf8');
  const quick = rules.replaceAll(/interval: "\w+"/g, 'interval: "3s"');
  writeFileSync(join(folder, 'rushlight.rules.yml'), quick);
  mkdirSync(join(folder, 'targets'));
  writeFileSync(join(folder, 'targets/exporters.json'), JSON.stringify(exporterTargets));
}

beforeAll(async () => {
  if (missing !== undefined) return;
  ({ shop, students, itemIds } = await startCrowdedShop({
    settings: { RUSHLIGHT_MONITOR_SCRAPE_S: '2' },
  }));
  const without = missingPrograms(['prometheus-node-exporter', 'prometheus-postgres-exporter']);
  without.push(...missingPrograms(['prometheus-redis-exporter', 'redis-server']));
  if (without.length > 0) report(`exporters: not run, because ${without.join(', ')} is missing`);
  else exporters = await startExporters(shop.platform, shop.data);
  configure(exporters?.targets ?? []);
  prometheus = await startPrometheusIn(folder);
}, 240_000);
afterAll(async () => {
  await prometheus?.[Symbol.asyncDispose]();
  await exporters?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  await shop?.stop();
}, 120_000);

type Sample = { metric: Record<string, string>; value: [number, string] };
type Answer = { status: string; error?: string; data: { result: Sample[] } };
type Ask = (query: string) => Promise<Answer>;

const askPrometheus: Ask = async (query) =>
  (await prometheus.ask('/api/v1/query', { query })).body as Answer;

async function oneValue(ask: Ask, query: string): Promise<number> {
  const { data } = await ask(query);
  return Number(data.result[0]?.value[1] ?? Number.NaN);
}

/** The figures of an answer, as far as they are numbers. */
function figuresIn({ status, error, data }: Answer, where: string): number[] {
  expect(status, `${where}: ${error}`).toBe('success');
  return data.result.map(({ value }) => Number(value[1])).filter(Number.isFinite);
}

const filled = ({ expr }: PanelQuery): string =>
  filledIn(bare(expr), { rateInterval: '30s', range: '15m' });
const isOf = ({ expr }: PanelQuery, names: readonly string[]): boolean =>
  names.some((name) => new RegExp(`\\b${name}\\b`).test(expr));
const skipped = Object.values(notRun).flat();
const ofExporters = [
  ...foreignMetrics.nodeExporter,
  ...foreignMetrics.postgres,
  ...foreignMetrics.redis,
];
const asked = queries.filter((query) => !isOf(query, skipped));
const own = asked.filter((query) => !isOf(query, ofExporters));

/** Those of these queries that have nothing to say. */
async function silent(ask: Ask, of: readonly PanelQuery[]): Promise<PanelQuery[]> {
  const found: PanelQuery[] = [];
  for (const query of of) {
    const figures = figuresIn(await ask(filled(query)), query.where);
    if (figures.length === 0 && !mayNeverHappen.test(query.panel)) found.push(query);
  }
  return found;
}

/** Waits until each of these queries has had an answer. */
async function expectAnswers(ask: Ask, of: readonly PanelQuery[]): Promise<void> {
  let left = of;
  const look = async (): Promise<boolean> => {
    await order(20);
    await logIn();
    left = await silent(ask, left);
    return left.length === 0;
  };
  await eventually('every panel has an answer', look, { deadlineMs: 200_000, everyMs: 500 }).catch(
    () => expect(left.map(({ where }) => where)).toEqual([]),
  );
}

const counts = { taken: 0, soldOut: 0 };

/** Orders, and what became of them. */
async function order(howMany: number): Promise<void> {
  for (let index = 0; index < howMany; index += 1) {
    const student = students[index % students.length] as Student;
    const itemId = itemIds[index % itemIds.length] as string;
    const { status } = await place(shop, student.token, [{ itemId, quantity: 1 }]);
    if (status === 201 || status === 202) counts.taken += 1;
  }
}

let logins = 10;

/** One right login, each of somebody else: the same one may not try often. */
async function logIn(): Promise<void> {
  logins = logins >= 50 ? 11 : logins + 1;
  const body = { studentId: `student${logins}`, password: 'password123' };
  await shop.api.try(publicApi.login, { body });
}

beside('the counts of a quiet shop are the counts of its clients', patient, async () => {
  await eventually(
    'every process is scraped',
    async () => {
      const up = `count(up{service=~"${processNames.join('|')}"} == 1)`;
      return (await oneValue(askPrometheus, up)) === processNames.length;
    },
    { deadlineMs: 60_000 },
  );
  const stream = await openStream(shop.api, publicApi.allEvents.path, await shop.admin());
  await order(30);
  const scarce = await shop.item(1);
  for (const student of students.slice(0, 4)) {
    const { status } = await place(shop, student.token, [{ itemId: scarce, quantity: 1 }]);
    if (status === 422) counts.soldOut += 1;
    else counts.taken += 1;
  }
  const body = { studentId: 'student9', password: 'not-the-password' };
  for (let times = 0; times < 2; times += 1) await shop.api.try(publicApi.login, { body });
  const expected = [
    ['sum(orders_accepted_total)', counts.taken],
    ['sum(orders_rejected_total{reason="sold_out"})', counts.soldOut],
    ['sum(auth_attempts_total{outcome="wrong"})', 2],
    ['sum(orders_processed_total{status="paid"})', counts.taken],
    ['sum(stock_updates_total{operation="reserve",result="ok"})', counts.taken],
  ] as const;
  for (const [query, value] of expected) {
    let last = Number.NaN;
    await eventually(
      query,
      async () => {
        last = await oneValue(askPrometheus, query);
        return last === value;
      },
      { deadlineMs: 60_000, everyMs: 250 },
    ).catch(() => expect([query, last]).toEqual([query, value]));
  }
  expect(counts.soldOut).toBe(3);
  stream.close();
});

beside('with a silent neighbour and a death, every panel has an answer', patient, async () => {
  const stream = await openStream(shop.api, publicApi.allEvents.path, await shop.admin());
  shop.platform.startFault({ fault: 'stop', target: 'inventory', durationS: 6 });
  await order(5);
  await shop.platform.whenUp('inventory');
  shop.platform.endFaults();
  shop.platform.kill('kitchen');
  await shop.platform.whenUp('kitchen');
  await expectAnswers(askPrometheus, own);
  const retried = await oneValue(askPrometheus, 'sum(orders_retried_total)');
  expect(retried, 'orders went by the detour').toBeGreaterThan(0);
  stream.close();
});

beside('the panels of exporters have answers, of those that run here', patient, async () => {
  for (const [why, names] of Object.entries(notRun)) {
    const panels = new Set(queries.filter((query) => isOf(query, names)).map(({ panel }) => panel));
    report(`not asked, because ${why}: ${[...panels].join(', ')}`);
  }
  if (exporters === undefined) return;
  await expectAnswers(
    askPrometheus,
    asked.filter((query) => isOf(query, foreignMetrics.postgres)),
  );
  await expectAnswers(
    askPrometheus,
    asked.filter((query) => isOf(query, foreignMetrics.redis)),
  );
  const ofMachine = asked.filter((query) => isOf(query, foreignMetrics.nodeExporter));
  const quiet = (await silent(askPrometheus, ofMachine)).map(({ where }) => where);
  if (quiet.length > 0) report(`this machine does not tell: ${quiet.join(', ')}`);
  expect(quiet.length).toBeLessThan(ofMachine.length);
  expect(quiet.join()).not.toMatch(/Processors in use|Memory in use/);
});

beside('every rule is evaluated, and a latency leads to its trace', patient, async () => {
  const { body } = await prometheus.ask('/api/v1/query', { query: 'count(up)' });
  expect(body).toMatchObject({ status: 'success' });
  type Rules = {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const rules = await eventually(
    'the rules were evaluated',
    async () => {
      const answer = (await prometheus.get('/api/v1/rules')) as Rules;
      const all = answer.data.groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    },
    { deadlineMs: 60_000 },
  );
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  type Exemplars = { data: { exemplars: { labels: { trace_id: string } }[] }[] };
  await eventually(
    'an exemplar',
    async () => {
      await order(10);
      const answer = await prometheus.ask('/api/v1/query_exemplars', {
        query: 'http_request_duration_seconds_bucket{service="gateway"}',
        start: '0',
        end: String(Math.ceil(Date.now() / 1_000) + 60),
      });
      const [first] = (answer.body as Exemplars).data.flatMap(({ exemplars }) => exemplars);
      return /^[0-9a-f]{32}$/.test(first?.labels.trace_id ?? '');
    },
    { deadlineMs: 60_000, everyMs: 500 },
  );
});

beside("the shop's own monitor answers them too", patient, async () => {
  const url = shop.platform.serviceUrl('monitor');
  const token = await shop.admin();
  const ask: Ask = async (query) => {
    const parameters = new URLSearchParams({ query });
    const answer = await fetch(`${url}/api/v1/query?${parameters}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await answer.json()) as Answer;
  };
  // Objectives are recorded once a minute, or every other one.
  await expectAnswers(
    ask,
    own.filter(({ expr }) => !/slo:|ALERTS/.test(expr)),
  );
});
