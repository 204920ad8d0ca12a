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
  launcherApi,
  type ProcessName,
  partNames,
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
  bus: Pick<Bus, 'ping'>;
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
  const { env, bus, urls } = options;
  const others = processNames.filter((name) => name !== 'gateway' && urls[name] !== undefined);
  const [parts, busUp, ...healths] = await Promise.all([
    readParts(options),
    bus.ping().then(
      () => true,
      () => false,
    ),
    ...others.map((name) => readHealth(urls[name]?.[0])),
  ]);
  const health = new Map(others.map((name, index) => [name as string, healths[index]]));
  const up = (name: string) => (health.get(name) === undefined ? 'down' : 'up');
  const own = Object.fromEntries([
    ...others.map((name) => [name, up(name)]),
    ['bus', busUp ? 'up' : 'down'],
  ]);
  const ownUp = Object.values(own).every((state) => state === 'up');
  health.set('gateway', { status: ownUp ? 'up' : 'degraded', dependencies: own });
  health.set('postgres', busUp ? { status: 'up', dependencies: {} } : undefined);

  const nowMs = env.nowMs();
  return partNames
    .filter((name) => health.has(name))
    .map((name) => {
      const part = parts?.find((one) => one.name === name);
      const state = judge(part, health.get(name));
      const before = seen.get(name);
      if (before?.state !== state) seen.set(name, { state, sinceMs: nowMs });
      const sinceMs = seen.get(name)?.sinceMs ?? nowMs;
      return describe(name, state, sinceMs, part, health.get(name));
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
