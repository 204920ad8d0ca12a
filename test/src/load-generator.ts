// An open-loop load generator: a process of its own, so that it does not wait for whom it measures.
//
// G1. A shot is fired when it is due, whether or not earlier ones were answered.
// G2. Its latency counts from when it was due, so that a stall of the server, or of ourselves, shows.
//
//   node load-generator.ts PLAN.json HITS.json

import { readFileSync, writeFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Hit, LoadPlan, Shot } from './load-plan.ts';

const answerMsMax = 30_000;
const leadMs = 200;

const [planFile = '', hitsFile = ''] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as LoadPlan;
const pool = new Pool(plan.url, {
  connections: plan.connections,
  pipelining: 1,
  headersTimeout: answerMsMax,
  bodyTimeout: answerMsMax,
});
await warmUp();
const hits = await fireAll(plan.shots.toSorted((a, b) => a.atMs - b.atMs));
writeFileSync(hitsFile, JSON.stringify(hits));
await pool.destroy();

/** The crowd has had its pages open for a while: its connections are there. */
async function warmUp(): Promise<void> {
  const pings = Array.from({ length: plan.connections }, async () => {
    const { body } = await pool.request({ method: 'GET', path: '/ping' });
    await body.dump();
  });
  await Promise.all(pings);
}

function fireAll(shots: readonly Shot[]): Promise<Hit[]> {
  const startMs = performance.now() + leadMs;
  const running: Promise<Hit>[] = [];
  return new Promise((resolve) => {
    let next = 0;
    const tick = (): void => {
      const nowMs = performance.now() - startMs;
      for (let shot = shots[next]; shot && shot.atMs <= nowMs; shot = shots[++next]) {
        running.push(fire(shot, startMs + shot.atMs));
      }
      if (next < shots.length) setTimeout(tick, 1);
      else resolve(Promise.all(running));
    };
    tick();
  });
}

async function fire({ token, key, body, atMs }: Shot, dueMs: number): Promise<Hit> {
  const hit = { key, atMs };
  try {
    const answer = await pool.request({
      method: 'POST',
      path: '/api/v1/orders',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body,
    });
    const text = await answer.body.text();
    const latencyMs = performance.now() - dueMs;
    const { orderId, code } = JSON.parse(text) as { orderId?: string; code?: string };
    return {
      ...hit,
      latencyMs,
      status: answer.statusCode,
      ...(orderId === undefined ? {} : { orderId }),
      ...(code === undefined ? {} : { code }),
    };
  } catch (error) {
    return { ...hit, latencyMs: performance.now() - dueMs, status: 0, code: String(error) };
  }
}
