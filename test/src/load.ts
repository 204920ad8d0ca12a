// Runs the load generator, and says what it saw.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hit, LoadPlan } from './load-plan.ts';
import { quantile, report } from './report.ts';

const generator = fileURLToPath(new URL('load-generator.ts', import.meta.url));

export async function runLoad(plan: LoadPlan): Promise<Hit[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-load-'));
  const [planFile, hitsFile] = [join(folder, 'plan.json'), join(folder, 'hits.json')];
  try {
    writeFileSync(planFile, JSON.stringify(plan));
    const child = spawn(process.execPath, [generator, planFile, hitsFile], { stdio: 'inherit' });
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (code !== 0) throw new Error(`The load generator ended with ${code}`);
    return JSON.parse(readFileSync(hitsFile, 'utf8')) as Hit[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the latencies of these hits, and returns their p99 in milliseconds. */
export function reportLatency(what: string, hits: readonly Hit[]): number {
  const sorted = hits.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(quantile(sorted, share))} ms`;
  report(
    `${what}: ${hits.length} answers, p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)}`,
  );
  return quantile(sorted, 0.99);
}

/** How often each status and code came, as text to compare and to print. */
export function tally(hits: readonly Hit[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of hits) {
    const name = code === undefined ? String(status) : `${status} ${code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
