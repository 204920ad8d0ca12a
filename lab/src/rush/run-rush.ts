// The rush: a crowd, faults at their seconds, then heal → drain → final reads → check.
//
// R1. What is judged is the clients' own record and what the platform says at the end, by the auditor.
// R2. A fault that could not be begun makes the run worthless: it is an error, never a good result.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Certificate,
  type CheckOptions,
  certificate,
  check,
  type Entry,
  type Evidence,
  readHistory,
} from '@rushlight/auditor';
import { seededRandom } from '@rushlight/chassis';
import { limits, publicApi } from '@rushlight/contracts';
import type { Api } from './api.ts';
import { type Books, openBooks } from './books.ts';
import { sendCrowd } from './crowd.ts';
import type { Orders, Progress } from './crowd-messages.ts';
import { planCrowd } from './crowd-plan.ts';
import { drain } from './drain.ts';
import { readEvidence } from './evidence.ts';
import type { RushOptions } from './options.ts';
import { ofItems } from './own-evidence.ts';
import { openShop, type Shop, visitShop } from './shop.ts';

export type Watcher = {
  /** Something happened that a person may want to know. */
  say(line: string): void;
  progress(progress: Progress): void;
};

export type RushResult = {
  certificate: Certificate;
  /** What it was judged by. */
  history: readonly Entry[];
  evidence: Evidence;
  checkOptions: CheckOptions;
  deadLetters: number | undefined;
};

export type InjectedFault = {
  fault: string;
  target: string;
  atS: number;
  durationS: number;
  /** When it was begun, and how long after the first arrival. */
  at: string;
  begunS: number;
};

const entrySumEveryMs = 1_000;
const priceCentsMin = 100;
const priceCentsSpan = 900;

/**
 * Makes one rush, whole.
 *
 * @param shop where it is made; otherwise one is opened for it, and closed after it
 * @throws Error when it could not be carried out; that says nothing about the platform's promises
 */
export async function runRush(
  options: RushOptions,
  watcher: Watcher,
  { shop: given, signal }: { shop?: Shop; signal?: AbortSignal } = {},
): Promise<RushResult> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-rush-'));
  mkdirSync(join(folder, 'platform'));
  const historyFile = join(folder, 'history.jsonl');
  let isGood = false;
  let shop: Shop | undefined;
  try {
    shop = given ?? (await enter(options, join(folder, 'platform'), signal));
    watcher.say(`the platform is at ${shop.url}`);
    const result = await rushAt(shop, options, watcher, historyFile, signal);
    isGood = result.certificate.ok;
    return result;
  } finally {
    const isStory = existsSync(historyFile) || options.url === undefined;
    const keepsFolder = !isGood && isStory && !signal?.aborted;
    if (!given) await shop?.close(keepsFolder);
    if (keepsFolder) watcher.say(`history, data and logs are kept in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function enter(options: RushOptions, folder: string, signal?: AbortSignal): Promise<Shop> {
  return options.url === undefined
    ? openShop(options.admin, folder, signal, options.scale)
    : visitShop(options.url, options.admin);
}

async function rushAt(
  shop: Shop,
  options: RushOptions,
  watcher: Watcher,
  historyFile: string,
  signal: AbortSignal | undefined,
): Promise<RushResult> {
  const books = shop.platform && openBooks(shop.platform);
  const orders = await prepare(shop, options, historyFile);
  const startedAt = new Date().toISOString();
  const crowd = sendCrowd(orders, (progress) => watcher.progress(progress));
  signal?.addEventListener('abort', () => crowd.kill(), { once: true });
  try {
    await crowd.started;
    const sums = sumEntries(books);
    const [result, faults] = await Promise.all([
      crowd.over,
      injectAll(shop, options, watcher, signal),
    ]);
    watcher.say('everybody was answered or gave up; healing, then draining');
    await shop.heal();
    const drained = await drain(shop.api, books);
    const seconds = (drained.durationMs / 1_000).toFixed(1);
    watcher.say(
      drained.isDrained
        ? `drained after ${seconds} s; reading the books`
        : `not drained after ${seconds} s: ${JSON.stringify(drained.left)}; reading the books`,
    );
    await crowd.finish(await books?.lastEventIds(result.listeners));
    const whole = await readHistory(historyFile);
    const tokens = new Map(orders.students.map(({ studentId, token }) => [studentId, token]));
    const itemIds = new Set(orders.itemIds);
    const entrySums = await sums.stop();
    const found = await readEvidence({
      ...{ api: shop.api, books, history: whole, tokens, itemIds, entrySums },
    });
    const { history, evidence } = ofItems({ history: whole, evidence: found }, itemIds);
    // Where there is no list of the databases, nobody could know of a gap in the streams either.
    const listeners = books ? result.listeners : [];
    const checkOptions: CheckOptions = { drained: true, listeners };
    const verdict = check(history, evidence, checkOptions);
    const { meals, arrivals, seconds: lastedS, seed } = options;
    const sellingS = Math.max(result.sellingMs, 1) / 1_000;
    const run = {
      ...{ seed, meals, arrivals, seconds: lastedS, faults, startedAt },
      latencyMs: result.latencyMs,
      settledPerSecond: Math.round((result.accepted / sellingS) * 10) / 10,
      endedAt: new Date().toISOString(),
    };
    const deadLetters = await books?.deadLetters();
    return { certificate: certificate(verdict, run), history, evidence, checkOptions, deadLetters };
  } finally {
    crowd.kill();
    await books?.close();
  }
}

/** Students with full wallets, and items of our own. */
async function prepare(shop: Shop, options: RushOptions, historyFile: string): Promise<Orders> {
  const { api, url } = shop;
  const faultsAtS = options.faults.map(({ atS }) => atS);
  const plan = { ...options, faultsAtS };
  const { students: count, initial } = planCrowd(plan);
  const students = Math.min(count, limits.crowdStudentsMax);
  const { body: crowd } = await api.call(publicApi.crowd, { body: { students } });
  const random = seededRandom(options.seed);
  const batch = `rush-${Date.now().toString(36)}`;
  const itemIds: string[] = [];
  for (const [nth, stock] of initial.entries()) {
    const itemId = `${batch}-${nth + 1}`;
    const priceCents = priceCentsMin + Math.floor(random() * priceCentsSpan);
    const body = { itemId, name: `Rush meal ${nth + 1}`, category: 'mains', priceCents, stock };
    await addItem(api, body);
    itemIds.push(itemId);
  }
  const { meals, arrivals, seconds, items, seed } = options;
  return {
    ...{ url, batch, adminToken: api.token, students: crowd, itemIds, historyFile },
    plan: { meals, arrivals, seconds, items, seed, faultsAtS },
  };
}

type NewItem = {
  itemId: string;
  name: string;
  category: string;
  priceCents: number;
  stock: number;
};

async function addItem(api: Api, body: NewItem): Promise<void> {
  await api.call(publicApi.addItem, { body });
}

/** Begins each fault at its second. R2 */
async function injectAll(
  shop: Shop,
  { faults }: RushOptions,
  watcher: Watcher,
  signal: AbortSignal | undefined,
): Promise<InjectedFault[]> {
  const startMs = performance.now();
  const inject = async (planned: RushOptions['faults'][number]): Promise<InjectedFault> => {
    const { fault, target, atS, durationS } = planned;
    const waitMs = atS * 1_000 - (performance.now() - startMs);
    await sleep(Math.max(0, waitMs), undefined, signal === undefined ? {} : { signal });
    const begunS = Math.round((performance.now() - startMs) / 100) / 10;
    const at = new Date().toISOString();
    await shop.begin(planned);
    watcher.say(`${begunS} s: ${fault} ${target}${durationS > 0 ? ` for ${durationS} s` : ''}`);
    return { fault, target, atS, durationS, at, begunS };
  };
  return Promise.all(faults.map(inject));
}

/** Looks at the sum of all double entries now and then, for as long as it lasts. */
function sumEntries(books: Books | undefined): { stop(): Promise<number[]> } {
  const sums: number[] = [];
  const over = new AbortController();
  const looking = (async () => {
    while (books && !over.signal.aborted) {
      const sum = await books.entrySum().catch(() => undefined); // The database may be dead.
      if (sum !== undefined) sums.push(sum);
      await sleep(entrySumEveryMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await looking;
      return sums;
    },
  };
}
