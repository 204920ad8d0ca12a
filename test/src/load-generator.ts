// Fires a plan of orders, open loop: a process of its own, so that it does not wait for whom it
// measures.
//
//   node load-generator.ts PLAN.json HITS.json

import { readFileSync, writeFileSync } from 'node:fs';
import { createLoadClient, type LoadClient, onSchedule } from '@rushlight/lab';
import type { Hit, LoadPlan, Shot } from './load-plan.ts';

const answerMsMax = 30_000;
const leadMs = 200;

const [planFile = '', hitsFile = ''] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as LoadPlan;
const client = createLoadClient({ url: plan.url, connectionsMax: plan.connections });
// The crowd has had its pages open for a while: its connections are there.
await client.warmUp(plan.connections);
const hits = await fireAll(client, plan.shots);
client.close();
writeFileSync(hitsFile, JSON.stringify(hits));

async function fireAll(client: LoadClient, given: readonly Shot[]): Promise<Hit[]> {
  const shots = given.toSorted((a, b) => a.atMs - b.atMs);
  const running: Promise<Hit>[] = [];
  await onSchedule(
    shots.map(({ atMs }) => leadMs + atMs),
    (nth, dueMs) => {
      const shot = shots[nth];
      if (shot) running.push(fire(client, shot, dueMs));
    },
  );
  return Promise.all(running);
}

async function fire(
  client: LoadClient,
  { token, key, body, atMs }: Shot,
  dueMs: number,
): Promise<Hit> {
  const headers = { authorization: `Bearer ${token}`, 'idempotency-key': key };
  const parts = { method: 'POST', path: '/api/v1/orders', headers, body };
  const outcome = await client.request(parts, answerMsMax);
  const hit = { key, atMs, latencyMs: performance.now() - dueMs };
  if (outcome.kind === 'unanswered') return { ...hit, status: 0, code: outcome.why };
  const { orderId, code } = JSON.parse(outcome.body) as { orderId?: string; code?: string };
  return {
    ...hit,
    status: outcome.status,
    ...(orderId === undefined ? {} : { orderId }),
    ...(code === undefined ? {} : { code }),
  };
}
