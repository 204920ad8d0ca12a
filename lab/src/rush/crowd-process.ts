// The crowd, in a process of its own: what it measures is not disturbed by who watches it.

import { type Listener, type Recorder, startRecorder } from '@rushlight/auditor';
import { publicApi } from '@rushlight/contracts';
import { LatencyHistogram } from '../load/histogram.ts';
import { createLoadClient } from '../load/load-client.ts';
import { onSchedule } from '../load/loops.ts';
import { createApi } from './api.ts';
import type { CrowdResult, FromCrowd, Orders, ToCrowd } from './crowd-messages.ts';
import { type CrowdPlan, planCrowd } from './crowd-plan.ts';
import { type Ear, listen } from './listening.ts';
import { type Bought, goShopping } from './shopping.ts';
import { watchStock } from './stock-keeper.ts';
import { createWitness } from './witness.ts';

const connectionsMax = 1_500;
const connectionsWarm = 100;
const progressMs = 200;
const listenersMax = 15;
const openMsMax = 60_000;
const hearMsMax = 60_000;
const quietMsWanted = 2_000;

type Ears = ReadonlyMap<string, Ear & { listener: Listener }>;
let finish: ((ids: Record<string, number> | undefined) => Promise<void>) | undefined;

process.on('message', (message: ToCrowd) => {
  const work = message.kind === 'begin' ? begin(message.orders) : finish?.(message.lastEventIds);
  work?.catch((error: unknown) => {
    process.stderr.write(`The crowd failed: ${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
});
process.once('disconnect', () => process.exit(1)); // Nobody is left to tell.
process.on('SIGINT', () => undefined); // The rush tells us when it is over.

function tell(message: FromCrowd): void {
  process.send?.(message);
}

async function begin(orders: Orders): Promise<void> {
  const recorder = startRecorder({ file: orders.historyFile });
  const ears = await openEars(orders, recorder);
  finish = async (lastEventIds) => {
    await hearAll(ears, lastEventIds);
    for (const ear of ears.values()) ear.close();
    await recorder.close();
    tell({ kind: 'closed' });
    process.disconnect?.();
    process.exit(0);
  };
  const result = await run(orders, planCrowd(orders.plan), recorder);
  const listeners = [...ears.values()].map(({ listener }) => listener);
  tell({ kind: 'over', result: { ...result, listeners } });
}

/** Some students listen to what happens to theirs, and one display to everything. */
async function openEars(orders: Orders, recorder: Recorder): Promise<Ears> {
  const { url, adminToken, students } = orders;
  const ears = new Map<string, Ear & { listener: Listener }>();
  const open = (listener: Listener, path: string, token: string): void => {
    const ear = listen({ url, path, token, proc: listener.proc, recorder });
    ears.set(listener.proc, Object.assign(ear, { listener }));
  };
  open({ proc: 'display' }, publicApi.allEvents.path, adminToken);
  for (const { studentId, token } of students.slice(0, listenersMax)) {
    open({ proc: `page of ${studentId}`, student: studentId }, publicApi.myEvents.path, token);
  }
  const late = new Promise<void>((_, reject) => {
    const why = `The event streams did not open within ${openMsMax} ms`;
    setTimeout(() => reject(new Error(why)), openMsMax).unref();
  });
  await Promise.race([Promise.all([...ears.values()].map(({ opened }) => opened)), late]);
  return ears;
}

async function run(
  orders: Orders,
  plan: CrowdPlan,
  recorder: Recorder,
): Promise<Omit<CrowdResult, 'listeners'>> {
  const { url, batch, students, itemIds } = orders;
  const client = createLoadClient({ url, connectionsMax });
  await client.warmUp(connectionsWarm);
  const witness = createWitness(client, recorder);
  const scoreboard = new Scoreboard();
  const keeper = watchStock({ witness, api: createApi(url), orders, trays: plan.trays });
  const progress = setInterval(() => tell(scoreboard.progress()), progressMs);
  tell({ kind: 'started' });
  scoreboard.start();
  const running: Promise<void>[] = [];
  await onSchedule(
    plan.arrivals.map(({ atMs }) => atMs),
    (nth, dueMs) => {
      const planned = plan.arrivals[nth];
      const arrival = planned && { ...planned, key: `${batch}-${planned.key}` };
      const student = arrival && students[arrival.student % students.length];
      const itemId = arrival && itemIds[arrival.item % itemIds.length];
      if (!arrival || !student || itemId === undefined) return;
      scoreboard.begun++;
      const visit = { witness, arrival, student, itemId, dueMs };
      running.push(goShopping(visit).then((bought) => scoreboard.add(bought)));
    },
  );
  await Promise.all(running);
  await keeper.stop();
  clearInterval(progress);
  client.close();
  return scoreboard.result();
}

class Scoreboard {
  begun = 0;
  #startMs = 0;
  #lastMs = 0;
  #soldOut = 0;
  #gaveUp = 0;
  #accepted = 0;
  #ended = 0;
  readonly #acceptedMs = new LatencyHistogram();
  readonly #soldOutMs = new LatencyHistogram();

  start(): void {
    this.#startMs = performance.now();
    this.#lastMs = this.#startMs;
  }

  add({ placed, latencyMs }: Bought): void {
    this.#ended++;
    switch (placed.kind) {
      case 'accepted':
        this.#accepted++;
        this.#lastMs = performance.now();
        if (latencyMs !== undefined) this.#acceptedMs.record(latencyMs);
        return;
      case 'refused':
        if (placed.code !== 'sold_out') return;
        this.#soldOut++;
        if (latencyMs !== undefined) this.#soldOutMs.record(latencyMs);
        return;
      case 'again':
        this.#gaveUp++;
        return;
    }
  }

  progress(): FromCrowd {
    return {
      kind: 'progress',
      passedMs: performance.now() - this.#startMs,
      begun: this.begun,
      accepted: this.#accepted,
      soldOut: this.#soldOut,
      waiting: this.begun - this.#ended,
    };
  }

  result(): Omit<CrowdResult, 'listeners'> {
    return {
      latencyMs: {
        accepted: this.#acceptedMs.percentiles(),
        soldOut: this.#soldOutMs.percentiles(),
      },
      accepted: this.#accepted,
      sellingMs: this.#lastMs - this.#startMs,
      gaveUp: this.#gaveUp,
    };
  }
}

/** Waits until everybody heard the last event, or, where nobody knows which that is, until it is quiet. */
async function hearAll(
  ears: Ears,
  lastEventIds: Record<string, number> | undefined,
): Promise<void> {
  const endMs = performance.now() + hearMsMax;
  const isDeaf = ([proc, ear]: [string, Ear]): boolean =>
    lastEventIds === undefined
      ? ear.quietMs < quietMsWanted
      : ear.lastEventId < (lastEventIds[proc] ?? 0);
  while (performance.now() < endMs && [...ears].some(isDeaf)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
