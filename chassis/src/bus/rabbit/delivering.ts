// One call of a handler, and what becomes of its messages.

import type { Message } from '@rushlight/contracts';
import { backoffMs, consumerDied, inspect, type Letter, letterOf, verdictOn } from '../delivery.ts';
import { type Failed, handOver } from '../hand-over.ts';
import type { ConsumeOutcome } from '../hooks.ts';
import type { Lane } from './consumer.ts';
import { noFate, type Outgoing, toDead, toQueue } from './frames.ts';
import type { Held } from './holdings.ts';

/** A message that was given to us. `attempts` counts this one. */
export type Given = Held & { attempts: number; delays: number; deaths: number };

/** Runs the handler; returns how to make what came of it last. */
export async function deliver(lane: Lane, given: readonly Given[]): Promise<() => Promise<void>> {
  const { policy, limits, holdings, hooks } = lane;
  const sound: Message[] = [];
  const tried: Given[] = [];
  const doomed = new Map<string, Failed>();
  const inspected = given.map(async (one) => {
    const message = await readSound(lane, one);
    if (!message) return;
    tried.push(one);
    if (one.attempts > policy.attemptsMax) doomed.set(one.stored.id, { error: consumerDied });
    else sound.push(message);
  });
  await Promise.all(inspected);
  const failed = await handOver(sound, lane.handle, limits);
  return async () => {
    const settled = tried.map(async (one) => {
      const failure = doomed.get(one.stored.id) ?? failed.get(one.stored.id);
      if (!failure) holdings.acknowledge(one);
      const outcome = failure ? await putAside(lane, one, failure.error) : 'handled';
      hooks.onConsumed?.(one.stored.topic, outcome);
    });
    await Promise.all(settled);
  };
}

/** Its sound events, after those that are not became letters. */
async function readSound(lane: Lane, given: Given): Promise<Message | undefined> {
  const { queue, log, hooks } = lane;
  const { message, dead } = inspect(queue, given.stored, given.attempts);
  if (dead.length === 0) return message;
  await insist(lane, given, letters(lane, dead));
  log.warn({ queue, message: given.stored.id, error: dead[0]?.error }, 'events became letters');
  if (message) {
    given.stored = { ...given.stored, events: JSON.stringify(message.events) };
  } else {
    lane.holdings.acknowledge(given);
    hooks.onConsumed?.(given.stored.topic, 'dead');
  }
  return message;
}

async function putAside(lane: Lane, given: Given, error: unknown): Promise<ConsumeOutcome> {
  const { env, family, log, policy, queue } = lane;
  const { stored, attempts } = given;
  const verdict = verdictOn(error, stored, given, policy, env);
  const about = { queue, topic: stored.topic, message: stored.id, attempts, error };
  const become = async (outcome: ConsumeOutcome, next: Outgoing[]): Promise<ConsumeOutcome> => {
    await insist(lane, given, next);
    lane.holdings.acknowledge(given);
    return outcome;
  };
  switch (verdict.kind) {
    case 'wait':
      log.warn(about, 'a message waits for a neighbour');
      return become('waits', [putOff(lane, given, attempts - 1, verdict.delayMs)]);
    case 'retry':
      log.warn(about, 'a message is tried again');
      return become('retried', [putOff(lane, given, attempts, verdict.delayMs)]);
    case 'split':
      log.warn({ ...about, parts: verdict.parts.length }, 'a failing message is split');
      return become(
        'split',
        verdict.parts.map((part) => toQueue(family.work, part, noFate)),
      );
    case 'die':
      log.error(about, 'a message became a dead letter');
      return become('dead', letters(lane, [letterOf(queue, stored, attempts, verdict.error)]));
  }
}

function putOff({ family }: Lane, given: Given, attempts: number, delayMs: number): Outgoing {
  const { stored, delays, deaths } = given;
  const place = family.delays.find(({ mostMs }) => delayMs <= mostMs) ?? family.delays.at(-1);
  const fate = { attempts, delays: delays + 1, deaths };
  return toQueue(place?.queue ?? family.work, stored, fate, delayMs);
}

function letters({ env, family }: Lane, dead: readonly Letter[]): Outgoing[] {
  return dead.map((letter) => toDead(family.dead, letter, env.nowMs()));
}

/**
 * Sends until it is confirmed, for as long as the message that it stands for is ours: given back at
 * once, that would come again at once.
 */
export async function insist(lane: Lane, given: Given, next: readonly Outgoing[]): Promise<void> {
  const { env, log, policy, publisher, queue, closing } = lane;
  for (let failures = 0; ; failures += 1) {
    try {
      await publisher.send(next);
      return;
    } catch (error) {
      if (closing.aborted || !lane.holdings.has(given)) throw error;
      log.warn({ error, queue }, 'what came of a message is not confirmed; it is tried again');
      await env.sleep(backoffMs(failures, policy, env), closing).catch(() => {});
    }
  }
}
