// One run: a seed, the shop it makes, what is done to it, and what the auditor says.
//
//   faults and load (safety) → heal all → drain (liveness) → final reads → judge
//
// R1. A run is a function of its seed and options, and of nothing else.

import type { Entry, Line, Replay, Violation } from '@rushlight/auditor';
import { check } from '@rushlight/auditor';
import { reconcile } from '@rushlight/payments/protocol';
import { StreamListener } from './clients/listener.ts';
import { drawPlan, type Plan } from './clients/order-plan.ts';
import { Recorder } from './clients/recorder.ts';
import { Staff } from './clients/staff.ts';
import { Student } from './clients/student.ts';
import { World } from './engine/world.ts';
import { collectEvidence } from './evidence.ts';
import { heal, scheduleFaults } from './faults.ts';
import { whatRemains } from './rest.ts';
import { drawFaults, drawSettings, type FaultPlan, type Settings } from './settings.ts';
import type { Composition } from './shop/composition.ts';
import { serviceNames } from './shop/process-names.ts';
import { Shop } from './shop/shop.ts';

export type RunOptions = {
  seed: number;
  /** Replaces what the seed drew. */
  settings?: Partial<Settings>;
  /** Of what was planned, what is left out, by number. */
  without?: { faults?: readonly number[]; orders?: readonly number[] };
  /** Writes the story. */
  tells?: boolean;
  /** Puts the shop together differently. */
  compose?: () => Composition;
};

export type Finding = { rule: string; subject: string; detail: string };

export type Outcome = {
  seed: number;
  hash: string;
  findings: readonly Finding[];
  /** Of invariants on which there is no verdict. */
  notChecked: readonly string[];
  faults: ReadonlyMap<string, number>;
  faultPlan: readonly FaultPlan[];
  /** By which those of the plan may be left out. */
  faultNumbers: readonly number[];
  settings: Settings;
  plan: Plan;
  orders: number;
  virtualMs: number;
  events: number;
  story: readonly string[];
  history: readonly Entry[];
};

const drainMsMax = 150_000;
const lookEveryMs = 250;
const sumEveryMs = 1_000;
const finalLooksMax = 200;
const clientGraceMs = 20;
/** Messages that are repeated come until then. */
const keptCalmMs = 7_000;

type Stage = {
  world: World;
  settings: Settings;
  plan: Plan;
  faultPlan: FaultPlan[];
  faultNumbers: number[];
  shop: Shop;
  recorder: Recorder;
  student: Student;
  staff: Staff;
  listeners: StreamListener[];
  findings: Finding[];
  entrySums: number[];
  /** Clients that are still at it. */
  busy: number;
};

export async function run(options: RunOptions): Promise<Outcome> {
  const stage = await setStage(options);
  const { world, shop, settings, faultPlan, recorder, findings } = stage;
  await world.run(settings.chaosMs);
  world.story.say('world', () => 'all faults end here');
  heal(shop);
  await world.run(settings.chaosMs + keptCalmMs);
  stage.staff.goHome();
  const rest = await drain(stage);
  if (rest.length > 0)
    findings.push({ rule: 'liveness', subject: 'drain', detail: rest.join('; ') });
  const replays = await replayAll(stage);
  // A meal may have been taken from the shelf meanwhile.
  await drain(stage);
  await checkBooks(stage);
  const evidence = await collectEvidence(shop, stage.plan, { entrySums: stage.entrySums, replays });
  const verdict = check(recorder.entries, evidence, {
    drained: true,
    // Every instant that is compared was told by a database, and that is off by a look at most.
    clientGraceMs,
    listeners: stage.listeners.map(({ proc, student }) => ({ proc, student })),
  });
  findings.push(...verdict.violations.map(findingOf));
  world.mark(evidence.orders.length);
  return {
    ...{
      seed: options.seed,
      hash: world.hash,
      findings,
      faults: world.faults,
      faultPlan,
      settings,
    },
    notChecked: verdict.notChecked.map(({ invariant, why }) => `${invariant}: ${why}`),
    plan: stage.plan,
    faultNumbers: stage.faultNumbers,
    orders: evidence.orders.length,
    virtualMs: world.elapsedMs,
    events: world.events,
    story: world.story.lines,
    history: recorder.entries,
  };
}

function findingOf({ invariant, subject, detail }: Violation): Finding {
  return { rule: invariant, subject, detail };
}

async function setStage(options: RunOptions): Promise<Stage> {
  const { seed, without = {} } = options;
  const world = new World(seed, options.tells ?? false);
  const settings = drawSettings(world.dice('settings'), options.settings);
  const drawn = drawPlan(settings, (use) => world.dice(use));
  const orders = drawn.orders.filter(({ index }) => !without.orders?.includes(index));
  const plan = { ...drawn, orders };
  const allFaults = drawFaults(settings, world.dice('faults'));
  const faultNumbers = [...allFaults.keys()].filter((index) => !without.faults?.includes(index));
  const faultPlan = faultNumbers.flatMap((index) => allFaults[index] ?? []);
  const shop = new Shop(world, settings, options.compose?.() ?? {});
  const recorder = new Recorder(world);
  const student = new Student(shop, recorder);
  const staff = new Staff(shop, recorder);
  const listeners = plan.students.map(
    ({ studentId }) => new StreamListener(shop, recorder, studentId),
  );
  const stage: Stage = {
    ...{
      world,
      settings,
      plan,
      faultPlan,
      faultNumbers,
      shop,
      recorder,
      student,
      staff,
      listeners,
    },
    ...{ findings: [], entrySums: [], busy: 0 },
  };
  await open(stage);
  scheduleFaults(shop, faultPlan);
  return stage;
}

/** Stocks the shelves, opens the doors, lets everybody in. */
async function open(stage: Stage): Promise<void> {
  const { shop, plan, settings, staff, world } = stage;
  const menu = plan.items.map(({ itemId, priceCents }) => ({
    ...{ itemId, name: itemId, category: 'mains', priceCents },
    stock: settings.stock,
  }));
  await shop.inventoryStore.seed('first menu', menu);
  await shop.register(plan.students);
  for (const name of serviceNames) shop.start(name);
  for (const listener of stage.listeners) listener.start();
  const acts = [
    ...plan.orders.map((order) => stage.student.live(order)),
    ...plan.stock.map((delivery) => staff.addStock(delivery)),
    ...plan.topUps.map((topUp, index) => staff.topUp(topUp, `t${index}`)),
  ];
  stage.busy = acts.length;
  for (const act of acts) act.then(() => stage.busy--, failed(stage));
  staff.workInKitchen().catch(failed(stage));
  watch(stage, staff);
  world.story.say('world', () => `seed ${world.seed} begins`);
}

function failed({ findings }: Stage): (error: unknown) => void {
  return (error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    findings.push({ rule: 'exception', subject: 'simulation', detail });
  };
}

/** Looks now and then at what must hold at every instant. */
function watch(stage: Stage, staff: Staff): void {
  const { shop, world } = stage;
  const look = (): void => {
    shop.paymentStore
      .sums()
      .then(({ allAccountsCents }) => stage.entrySums.push(allAccountsCents), failed(stage));
    if (stage.busy > 0) staff.lookAtStock().catch(failed(stage));
    world.at(sumEveryMs, look);
  };
  look();
}

/** Lets time pass until nothing is under way. Returns what still is, after long enough. */
async function drain(stage: Stage): Promise<string[]> {
  const { world, shop, plan } = stage;
  const endMs = world.elapsedMs + drainMsMax;
  let rest: string[] = [];
  while (world.elapsedMs < endMs) {
    await world.run(world.elapsedMs + lookEveryMs);
    rest = [...(stage.busy > 0 ? ['clients'] : []), ...(await whatRemains(shop, plan))];
    if (rest.length === 0) return [];
  }
  return rest;
}

/** Every key that got an order is used once more, and every order that somebody was told of read. */
async function replayAll({ world, recorder, student }: Stage): Promise<Replay[]> {
  const replays: Replay[] = [];
  const asked = acknowledged(recorder.entries).map(async (use) => {
    const { student: who, key, lines, orderId } = use;
    const ended = await student.place(`${who} at the end`, use, lines);
    if (ended.type === 'ok' && ended.op === 'place') {
      replays.push({ student: who, key, status: ended.status, body: ended.body });
    } else if (ended.type === 'fail') {
      replays.push({ student: who, key, status: ended.status, body: ended.code });
    }
    await student.read(`${who} at the end`, who, orderId);
  });
  await turning(world, Promise.all(asked));
  return replays;
}

/** The mirror and the provider's ledger, compared by payments' own reconciler. */
async function checkBooks({ shop, world, findings }: Stage): Promise<void> {
  const { paymentStore: store, provider, processes } = shop;
  const env = processes.provider.environment();
  const { violations } = await turning(world, reconcile({ store, provider, env }));
  for (const { rule, subject, detail } of violations) {
    findings.push({ rule: `books: ${rule}`, subject, detail });
  }
}

/** Turns the world until this is done. */
async function turning<T>(world: World, work: Promise<T>): Promise<T> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  work.then(end, end);
  for (let looks = 0; !done && looks < finalLooksMax; looks++) {
    await world.run(world.elapsedMs + lookEveryMs);
  }
  if (!done) throw new Error('the final reads do not end');
  return await work;
}

type Acknowledged = { student: string; key: string; lines: readonly Line[]; orderId: string };

/** The first acknowledgement of each key, with what it was used for. */
function acknowledged(entries: readonly Entry[]): Acknowledged[] {
  const placed = new Map<number, Omit<Acknowledged, 'orderId'>>();
  const found = new Map<string, Acknowledged>();
  for (const entry of entries) {
    if (entry.type === 'invoke' && entry.op === 'place') placed.set(entry.call, entry);
    if (entry.type !== 'ok' || entry.op !== 'place') continue;
    const use = placed.get(entry.call);
    if (!use || found.has(use.key)) continue;
    const { student, key, lines } = use;
    found.set(key, { student, key, lines, orderId: entry.orderId });
  }
  return [...found.values()];
}
