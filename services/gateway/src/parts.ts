// Every part and how it is: what the launcher knows of its process, joined with what it says of itself.

import {
  type Bus,
  type Client,
  type Environment,
  type HealthReport,
  type Log,
  UnavailableError,
} from '@rushlight/chassis';
import {
  type EngineName,
  launcherApi,
  type ProcessName,
  processNames,
  type Reply,
  type ServiceState,
} from '@rushlight/contracts';
import { request } from 'undici';

type Launched = Reply<typeof launcherApi.parts> & { status: 200 };
export type Part = Launched['body']['parts'][number];
type State = ServiceState['state'];

export type PartsOptions = {
  env: Pick<Environment, 'nowMs' | 'monotonicMs'>;
  log: Log;
  /** A process that has none here is not listed: a shop may do without a monitor. */
  urls: Partial<Record<ProcessName, readonly string[]>>;
  /** Our own name among the gateways. */
  instance: string;
  bus: Pick<Bus, 'ping'>;
  /** What this shop stands on, and which of them is the bus. */
  engines: readonly EngineName[];
  busEngine: EngineName;
  launcher: Client | undefined;
};

const healthDeadlineMs = 1_500;
const keptMs = 500;

export function createParts(options: PartsOptions): () => Promise<ServiceState[]> {
  const { env } = options;
  const seen = new Map<string, { state: State; sinceMs: number }>();
  let kept: { atMs: number; states: Promise<ServiceState[]> } | undefined;

  return () => {
    const nowMs = env.monotonicMs();
    if (kept && nowMs - kept.atMs < keptMs) return kept.states;
    const states = listParts(options, seen);
    kept = { atMs: nowMs, states };
    return states;
  };
}

async function listParts(
  options: PartsOptions,
  seen: Map<string, { state: State; sinceMs: number }>,
): Promise<ServiceState[]> {
  const { env, bus, urls, instance, engines } = options;
  const others = processesAt(urls).filter((process) => process.instance !== instance);
  const [parts, busUp, ...healths] = await Promise.all([
    readParts(options),
    bus.ping().then(
      () => true,
      () => false,
    ),
    ...others.map(({ url }) => readHealth(url)),
  ]);
  const health = new Map(others.map(({ name }, index) => [name, healths[index]]));
  const up = (name: string) => (health.get(name) === undefined ? 'down' : 'up');
  const own = Object.fromEntries([
    ...others.filter(({ service }) => service !== 'gateway').map(({ name }) => [name, up(name)]),
    ['bus', busUp ? 'up' : 'down'],
  ]);
  const ownUp = Object.values(own).every((state) => state === 'up');
  const self = processesAt(urls).find((process) => process.instance === instance);
  health.set(self?.name ?? 'gateway', { status: ownUp ? 'up' : 'degraded', dependencies: own });
  for (const name of engines) {
    const works = name === options.busEngine ? busUp : worksFor([...health.values()], name);
    health.set(name, works ? { status: 'up', dependencies: {} } : undefined);
  }

  const nowMs = env.nowMs();
  const known = processesAt(urls).map(({ name }) => name);
  const names = known.some((name) => name.startsWith('gateway')) ? known : ['gateway', ...known];
  return [...names, ...engines].map((name) => {
    const report = health.get(name);
    const part = parts?.find((one) => one.name === name);
    const state = judge(part, report);
    const before = seen.get(name);
    if (before?.state !== state) seen.set(name, { state, sinceMs: nowMs });
    const sinceMs = seen.get(name)?.sinceMs ?? nowMs;
    return describe(name, state, sinceMs, part, report);
  });
}

/** What services call the engine among their dependencies begins like this. */
const dependencyOf: Readonly<Record<EngineName, string>> = {
  postgres: 'database:',
  rabbitmq: 'bus',
  redis: 'cache',
};

/** An engine has no health of its own to ask for: it is down when nobody who needs it reaches it. */
function worksFor(reports: readonly (HealthReport | undefined)[], engine: EngineName): boolean {
  const views = reports.flatMap((report) =>
    Object.entries(report?.dependencies ?? {})
      .filter(([name]) => name.startsWith(dependencyOf[engine]))
      .map(([, state]) => state),
  );
  return views.length === 0 || views.includes('up');
}

type Process = { service: ProcessName; name: string; instance: string; url: string };

/** Every process with a URL, named as the launcher names its part: `orders`, or `orders-1` of several. */
function processesAt(urls: PartsOptions['urls']): Process[] {
  return processNames.flatMap((service) => {
    const all = urls[service] ?? [];
    return all.map((url, index) => {
      const instance = `${service}-${index + 1}`;
      return { service, url, instance, name: all.length > 1 ? instance : service };
    });
  });
}

/**
 * A part is down when its process does not run or does not answer.
 *
 * @param part undefined where no launcher runs it
 * @param health undefined when it did not answer
 */
export function judge(part: Part | undefined, health: HealthReport | undefined): State {
  if (part && !part.running) return 'down';
  return health?.status ?? 'down';
}

function describe(
  name: string,
  state: State,
  sinceMs: number,
  part: Part | undefined,
  health: HealthReport | undefined,
): ServiceState {
  // The launcher knows when a process came or went, also while nobody looked.
  const fromProcess = part && (state === 'up' || !part.running);
  return {
    name,
    state,
    since: new Date(fromProcess ? part.sinceMs : sinceMs).toISOString(),
    dependencies: health?.dependencies ?? {},
    pid: part?.pid ?? null,
    memoryMb: part?.memoryMb ?? null,
  };
}

async function readParts({ launcher, log }: PartsOptions): Promise<Part[] | undefined> {
  if (!launcher) return undefined;
  try {
    const reply = await launcher.call(launcherApi.parts, {}, { deadlineMs: healthDeadlineMs });
    return reply.body.parts;
  } catch (error) {
    log.warn({ error }, 'the launcher did not say which parts run');
    return undefined;
  }
}

/** Asked past the breaker: a part that has just come back is seen at once. */
async function readHealth(url: string | undefined): Promise<HealthReport | undefined> {
  if (url === undefined) return undefined;
  try {
    const signal = AbortSignal.timeout(healthDeadlineMs);
    const { body } = await request(new URL('/health', url), { signal });
    const report = (await body.json()) as Partial<HealthReport>;
    if (!report.status || !report.dependencies) throw new UnavailableError(url, 'no health');
    return { status: report.status, dependencies: report.dependencies };
  } catch {
    return undefined;
  }
}
