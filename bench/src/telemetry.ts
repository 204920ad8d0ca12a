// What telemetry costs: the order rate of a shop that is watched ÷ that of one that is not. Beside it,
// for comparison, the stock auto-instrumentation of OpenTelemetry in the same services.
//
// T1. Each round opens a fresh shop of every kind, one after the other and in turn, so that a machine
//     that gets slower meets all of them; the median of the rounds' ratios counts.
// T2. Watched: traces of all services sent to the monitor, which also scrapes their metrics and reads
//     their logs, and judges its rules. Unwatched: no monitor, no traces. Metrics are counted and
//     logs are written in both.
// T3. The auto-instrumentation is what its page says to do: all of it, every trace, exported by OTLP.
//     Our own spans are off meanwhile, and the monitor takes in what comes.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serviceNames } from '@rushlight/contracts';
import { Counter, closed } from './counter.ts';
import { type Generator, startGenerator } from './load/generator.ts';
import { describeLoss, type LossResult, lossPlan, measureLoss } from './monitor-loss.ts';
import { median } from './percentile.ts';
import { openShop, type ShopOptions } from './shop.ts';
import { figure, table } from './table.ts';

export type TelemetryPlan = {
  rounds: number;
  students: number;
  concurrency: number;
  warmUpMs: number;
  runMs: number;
  runs: number;
};

export const telemetryPlan: TelemetryPlan = {
  ...{ rounds: 3, students: 1_000, concurrency: 512 },
  ...{ warmUpMs: 3_000, runMs: 4_000, runs: 2 },
};

const kinds = ['unwatched', 'watched', 'auto-instrumented'] as const;
type Kind = (typeof kinds)[number];

/** `cpuUs`: processor time of the whole platform, monitor included, for one order. */
type Run = { perS: number; cpuUs: number | null };
export type TelemetryResult = {
  /** The medians of each round. */
  rounds: Partial<Record<Kind, Run>>[];
  /** Rate ÷ rate of the unwatched shop, the median of the rounds. */
  watchedToUnwatched: number;
  autoToUnwatched: number | null;
  loss: LossResult;
};

type Say = (text: string) => void;

const bar = 0.9;
const menuItems = 19;
const stock = 1_000_000;
/** Only here, and not among our packages: 116 MB that nobody else needs. */
const autoPackage = '@opentelemetry/auto-instrumentations-node@0.81.2';
const installMsMax = 300_000;
/** Has to be known before the shop is opened. */
const otlpUrl = 'http://127.0.0.1:4318';

export async function measureTelemetry(plan: TelemetryPlan, say: Say): Promise<TelemetryResult> {
  const auto = autoInstrumentation(say);
  const chosen = kinds.filter((kind) => kind !== 'auto-instrumented' || auto !== undefined);
  await using generator = await startGenerator();
  const rounds: TelemetryResult['rounds'] = [];
  for (let nth = 0; nth < plan.rounds; nth++) {
    const round: TelemetryResult['rounds'][number] = {};
    // In turn, so that none is always the first or after the same other.
    for (const kind of turned(chosen, nth)) {
      round[kind] = await measureShop(plan, generator, optionsOf(kind, plan, auto));
      say(`round ${nth + 1}, ${kind}: ${describeRun(round[kind])}`);
    }
    rounds.push(round);
  }
  const ratioOf = (kind: Kind): number =>
    median(rounds.map((round) => (round[kind]?.perS ?? 0) / (round.unwatched?.perS ?? 1)));
  const halfPerS = median(rounds.map((round) => round.watched?.perS ?? 0)) / 2;
  const result = {
    rounds,
    watchedToUnwatched: ratioOf('watched'),
    autoToUnwatched: auto === undefined ? null : ratioOf('auto-instrumented'),
    loss: await measureLoss(lossPlan, generator, halfPerS),
  };
  say(describe(result));
  say(`\n${describeLoss(result.loss)}`);
  return result;
}

async function measureShop(
  plan: TelemetryPlan,
  generator: Generator,
  options: ShopOptions,
): Promise<Run> {
  await using shop = await openShop(options);
  const url = shop.platform.otlp?.url;
  if (url !== undefined && url !== otlpUrl)
    throw new Error(`OTLP is at ${url}: end who holds the port of ${otlpUrl}.`);
  const counter = new Counter(shop, generator);
  const menu = await shop.dishes(menuItems, stock);
  await counter.settle(menu, closed(plan.concurrency, plan.warmUpMs));
  const runs: Run[] = [];
  for (let nth = 0; nth < plan.runs; nth++) {
    runs.push(await counter.settle(menu, closed(plan.concurrency, plan.runMs)));
  }
  await shop.audit();
  return medianOf(runs);
}

function medianOf(runs: readonly Run[]): Run {
  const cpuUs = runs.map((run) => run.cpuUs).filter((us) => us !== null);
  return {
    perS: median(runs.map(({ perS }) => perS)),
    cpuUs: cpuUs.length > 0 ? median(cpuUs) : null,
  };
}

type Auto = { nodeOptions: string };

function optionsOf(kind: Kind, { students }: TelemetryPlan, auto: Auto | undefined): ShopOptions {
  switch (kind) {
    case 'watched':
      return { students };
    case 'unwatched':
      return { students, monitor: false };
    case 'auto-instrumented': {
      const env = serviceNames.map((name) => [name, autoEnvironment(name, auto)]);
      return { students, env: Object.fromEntries(env) };
    }
  }
}

/** An empty endpoint is none: our own spans are off. Theirs has a variable of its own (T3). */
function autoEnvironment(service: string, auto: Auto | undefined): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${otlpUrl}/v1/traces`,
    OTEL_SERVICE_NAME: service,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    NODE_OPTIONS: auto?.nodeOptions ?? '',
  };
}

/** Installs it beside everything else, once. Undefined where that cannot be done. */
function autoInstrumentation(say: Say): Auto | undefined {
  const folder = join(tmpdir(), `rushlight-${autoPackage.replaceAll(/\W+/g, '-')}`);
  const modules = join(folder, 'node_modules', '@opentelemetry');
  const register = join(modules, 'auto-instrumentations-node', 'build', 'src', 'register.js');
  if (!existsSync(register)) {
    say(`installing ${autoPackage} …`);
    mkdirSync(folder, { recursive: true });
    const words = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts'];
    const done = spawnSync('npm', [...words, autoPackage], { timeout: installMsMax });
    if (done.status !== 0 || !existsSync(register)) {
      say(`${autoPackage} could not be installed: it is not compared.`);
      return undefined;
    }
  }
  const hook = pathToFileURL(join(modules, 'instrumentation', 'hook.mjs'));
  return { nodeOptions: `--no-warnings --require=${register} --experimental-loader=${hook}` };
}

function turned<T>(things: readonly T[], by: number): T[] {
  const from = by % things.length;
  return [...things.slice(from), ...things.slice(0, from)];
}

function describeRun({ perS, cpuUs }: Run): string {
  return `${figure(perS)} settled/s${cpuUs === null ? '' : `, ${figure(cpuUs)} µs each`}`;
}

function describe(result: Omit<TelemetryResult, 'loss'>): string {
  const { rounds, watchedToUnwatched, autoToUnwatched } = result;
  const rows = kinds
    .filter((kind) => rounds.every((round) => round[kind] !== undefined))
    .map((kind) => {
      const { perS, cpuUs } = medianOf(rounds.map((round) => round[kind] as Run));
      const ratio = kind === 'watched' ? watchedToUnwatched : autoToUnwatched;
      return [
        kind,
        figure(perS),
        kind === 'unwatched' ? '' : figure(ratio ?? Number.NaN),
        cpuUs === null ? '–' : figure(cpuUs),
      ];
    });
  const verdict = watchedToUnwatched >= bar ? 'met' : 'NOT MET';
  return [
    table(['a shop that is', 'settled/s', '÷ unwatched', 'CPU µs each'], rows),
    '',
    `promised: full telemetry leaves at least ${figure(bar)} of the rate: ${verdict}`,
  ].join('\n');
}
