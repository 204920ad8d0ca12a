// One arrival, from pressing "Order now" to the end of all that this client does with it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival } from './crowd-plan.ts';
import type { Placed, Shopper, Witness } from './witness.ts';

export type Bought = {
  placed: Placed;
  /** From when it was due; undefined where the client itself took its time. */
  latencyMs?: number;
};

type Student = { studentId: string; token: string };
type Visit = {
  witness: Witness;
  arrival: Arrival;
  student: Student;
  itemId: string;
  dueMs: number;
};

const answerMsMax = 8_000;
/** How long one client asks again before it gives up. */
const patienceMsMax = 45_000;
const retryMsMax = 1_000;
const retryMsMin = 100;
const tapMsMax = 40;
const dropMsMin = 1;
const dropMsMax = 30;
const awayMsMax = 3_000;
const lookMs = 400;
const looksMax = 6;
const cancelMsMax = 300;
const cancelTriesMax = 20;

/** Carries one arrival out, and tells how its order was answered. */
export async function goShopping(visit: Visit): Promise<Bought> {
  const { manner, pace } = visit.arrival;
  switch (manner) {
    case 'patient':
      return insist(visit, lineOf(visit));
    case 'gives up':
      return timed(visit, await ask(visit, lineOf(visit)));
    case 'taps twice': {
      const second = sleep(pace * tapMsMax).then(() => insist(visit, lineOf(visit, '-again')));
      const [first] = await Promise.all([insist(visit, lineOf(visit)), second]);
      return first;
    }
    case 'drops the line': {
      await dropTheLine(visit);
      await sleep(pace * awayMsMax);
      const { placed } = await insist(visit, lineOf(visit));
      return { placed };
    }
    case 'cancels': {
      const bought = await insist(visit, lineOf(visit));
      if (bought.placed.kind === 'accepted') await cancel(visit, bought.placed.orderId);
      return bought;
    }
    case 'reads': {
      const bought = await insist(visit, lineOf(visit));
      if (bought.placed.kind === 'accepted') await look(visit, bought.placed.orderId);
      return bought;
    }
  }
}

function lineOf({ student, arrival }: Visit, suffix = ''): Shopper {
  const { studentId, token } = student;
  return { proc: `${arrival.key}${suffix}`, student: studentId, token };
}

function ask({ witness, arrival, itemId }: Visit, shopper: Shopper): Promise<Placed> {
  const request = { key: arrival.key, lines: [{ itemId, quantity: 1 }] };
  return witness.place(shopper, request, { deadlineMs: answerMsMax });
}

/** Asks with the same key until there is an answer, or for as long as one has patience. */
async function insist(visit: Visit, shopper: Shopper): Promise<Bought> {
  const endMs = visit.dueMs + patienceMsMax;
  for (;;) {
    const placed = await ask(visit, shopper);
    if (placed.kind !== 'again' || performance.now() > endMs) return timed(visit, placed);
    const waitMsMax = Math.max(placed.waitMs, retryMsMax);
    await sleep(retryMsMin + Math.random() * waitMsMax);
  }
}

function timed({ dueMs }: Visit, placed: Placed): Bought {
  return { placed, latencyMs: performance.now() - dueMs };
}

/** Half of those who drop it have not even sent their whole request. */
async function dropTheLine({ witness, arrival, itemId, student }: Visit): Promise<void> {
  const { studentId, token } = student;
  const shopper = { proc: arrival.key, student: studentId, token };
  const request = { key: arrival.key, lines: [{ itemId, quantity: 1 }] };
  const deadlineMs = dropMsMin + arrival.pace * (dropMsMax - dropMsMin);
  const isCut = Math.floor(arrival.pace * 1_000) % 2 === 0;
  const how = isCut ? { deadlineMs, bytesMax: Math.floor(300 * arrival.pace) + 1 } : { deadlineMs };
  await witness.place(shopper, request, how);
}

async function cancel(visit: Visit, orderId: string): Promise<void> {
  const shopper = lineOf(visit);
  await sleep(visit.arrival.pace * cancelMsMax);
  for (let tries = 1; tries <= cancelTriesMax; tries++) {
    if ((await visit.witness.cancel(shopper, orderId)) !== 'again') return;
    await sleep(retryMsMin + Math.random() * retryMsMax);
  }
}

async function look(visit: Visit, orderId: string): Promise<void> {
  const shopper = lineOf(visit);
  for (let looks = 1; looks <= looksMax; looks++) {
    await visit.witness.read(shopper, orderId);
    await sleep(lookMs * (0.5 + visit.arrival.pace));
  }
}
