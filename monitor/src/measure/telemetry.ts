// What the monitor costs: processor time to take a span in, from OTLP's bytes to the file, and to
// answer its API about the last fifteen minutes of a shop. Processor time of the whole process, so that
// other programs on the machine do not count; one thread of DuckDB.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Log } from '@rushlight/chassis';
import { decodeProtobuf } from '../otlp/protobuf.ts';
import { spansOf } from '../otlp/translate-traces.ts';
import type { TelemetryStore } from '../store/face.ts';
import { openTelemetryStore } from '../store/telemetry-store.ts';
import { endpointCalls } from './endpoints.ts';
import { scrapeMs, shopLogs, shopScrapes, shopTrace, spansPerTrace } from './shop-telemetry.ts';
import { traceBody } from './trace-body.ts';

export type TelemetryMeasurement = {
  spans: number;
  /** Of one core. */
  intakeSpansPerS: number;
  bytesPerSpan: number;
  /** `firstCpuMs`: asked for the first time, right after the start. */
  questions: { name: string; firstCpuMs: number; cpuMs: number; wallMs: number }[];
};

export type TelemetryPlan = {
  /** Of the last fifteen minutes. */
  spans: number;
  /** For so long the shop was watched. */
  watchedMinutes: number;
  folder: string;
  env: Environment;
  log: Log;
};

const spansPerBody = 1_000;
const windowUs = 900_000_000;
const bodiesMax = 50;
const waitingMax = 16_384;
/** Later than an answer is remembered. */
const laterMs = 60_000;

/** Makes the folder, fills it, asks, and removes it. */
export async function measureTelemetry(plan: TelemetryPlan): Promise<TelemetryMeasurement> {
  const { folder } = plan;
  rmSync(folder, { recursive: true, force: true });
  try {
    const taken = await measureIntake({ ...plan, folder: join(folder, 'intake') });
    const questions = await measureQuestions({ ...plan, folder: join(folder, 'questions') });
    return { ...taken, questions };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIntake(plan: TelemetryPlan) {
  const { spans, folder, env, log } = plan;
  const fromUs = env.nowMs() * 1_000 - windowUs;
  const bodies = Math.max(1, Math.round(spans / spansPerBody));
  const made = Array.from({ length: Math.min(bodies, bodiesMax) }, (_, seed) =>
    traceBody({ spans: spansPerBody, seed, startUs: fromUs }),
  );
  await using store = await openTelemetryStore({ folder, env, log, threads: 1 });
  const start = process.cpuUsage();
  for (let body = 0; body < bodies; body += 1) {
    const bytes = made[body % made.length] ?? Buffer.alloc(0);
    const decoded = decodeProtobuf('TraceRequest', bytes);
    const { records } = spansOf(decoded, fromUs + windowUs);
    const laterUs = Math.floor((body * windowUs) / bodies);
    for (const span of records) span.startUs += laterUs;
    store.intake.spans(records);
    if (store.state().waiting > waitingMax) await store.flush();
  }
  await store.flush();
  const intakeMs = cpuMsSince(start);
  const taken = store.state().written.spans;
  return {
    spans: taken,
    intakeSpansPerS: (taken / intakeMs) * 1_000,
    bytesPerSpan: store.state().fileBytes / taken,
  };
}

async function measureQuestions(plan: TelemetryPlan): Promise<TelemetryMeasurement['questions']> {
  const { folder, env, log } = plan;
  let nowMs = env.nowMs();
  const moving = { ...env, nowMs: () => nowMs };
  await using store = await openTelemetryStore({ folder, env: moving, log, threads: 1 });
  await fill(store, { ...plan, nowMs });
  const measured: TelemetryMeasurement['questions'] = [];
  for (const { name, ask } of endpointCalls(store, moving, log)) {
    const first = process.cpuUsage();
    await ask();
    const firstCpuMs = cpuMsSince(first);
    nowMs += laterMs;
    const [start, startMs] = [process.cpuUsage(), env.monotonicMs()];
    await ask();
    measured.push({
      ...{ name, firstCpuMs, cpuMs: cpuMsSince(start) },
      wallMs: env.monotonicMs() - startMs,
    });
    nowMs -= laterMs;
  }
  return measured;
}

/** What a shop tells of itself: traces in the last fifteen minutes, figures and logs all the time. */
async function fill(
  store: TelemetryStore,
  { spans, watchedMinutes, nowMs }: TelemetryPlan & { nowMs: number },
): Promise<void> {
  const { intake } = store;
  const scrape = shopScrapes();
  const scrapes = Math.round((watchedMinutes * 60_000) / scrapeMs);
  const traced = Math.min(scrapes, windowUs / 1_000 / scrapeMs);
  const tracesPerScrape = Math.ceil(spans / spansPerTrace / traced);
  let traces = 0;
  for (let number = 0; number < scrapes; number += 1) {
    const atMs = nowMs - (scrapes - number) * scrapeMs;
    intake.samples(scrape(number, atMs));
    intake.logs(shopLogs(number, atMs * 1_000));
    if (number >= scrapes - traced) {
      for (let trace = 0; trace < tracesPerScrape; trace += 1) {
        const laterUs = Math.floor((trace / tracesPerScrape) * scrapeMs * 1_000);
        intake.spans(shopTrace(traces, atMs * 1_000 + laterUs));
        traces += 1;
      }
    }
    if (store.state().waiting > waitingMax) await store.flush();
  }
  await store.flush();
}

function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
