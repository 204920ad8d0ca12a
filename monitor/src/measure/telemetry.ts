// What the monitor costs: processor time to take a span in, from OTLP's bytes to the file, and to
// answer questions about the last fifteen minutes. Processor time of the whole process, so that other
// programs on the machine do not count; one thread of DuckDB.

import { rmSync } from 'node:fs';
import type { Environment, Log } from '@rushlight/chassis';
import { decodeProtobuf } from '../otlp/protobuf.ts';
import { spansOf } from '../otlp/translate-traces.ts';
import type { TelemetryStore } from '../store/face.ts';
import { openTelemetryStore } from '../store/telemetry-store.ts';
import { traceBody } from './trace-body.ts';

export type TelemetryMeasurement = {
  spans: number;
  /** Of one core. */
  intakeSpansPerS: number;
  bytesPerSpan: number;
  questions: { name: string; cpuMs: number; wallMs: number }[];
};

export type TelemetryPlan = { spans: number; folder: string; env: Environment; log: Log };

const spansPerBody = 1_000;
const windowUs = 900_000_000;
const bodiesMax = 50;

/** Makes the folder, fills it, asks, and removes it. */
export async function measureTelemetry(plan: TelemetryPlan): Promise<TelemetryMeasurement> {
  const { spans, folder, env, log } = plan;
  const fromUs = env.nowMs() * 1_000 - windowUs;
  const bodies = Math.max(1, Math.round(spans / spansPerBody));
  const made = Array.from({ length: Math.min(bodies, bodiesMax) }, (_, seed) =>
    traceBody({ spans: spansPerBody, seed, startUs: fromUs }),
  );
  rmSync(folder, { recursive: true, force: true });
  try {
    await using store = await openTelemetryStore({ folder, env, log, threads: 1 });
    const start = process.cpuUsage();
    for (let body = 0; body < bodies; body += 1) {
      const bytes = made[body % made.length] ?? Buffer.alloc(0);
      const decoded = decodeProtobuf('TraceRequest', bytes);
      const { records } = spansOf(decoded, fromUs + windowUs);
      const laterUs = Math.floor((body * windowUs) / bodies);
      for (const span of records) span.startUs += laterUs;
      store.intake.spans(records);
      if (store.state().waiting > 16_384) await store.flush();
    }
    await store.flush();
    const intakeS = secondsSince(start);
    const taken = store.state().written.spans;
    const questions = await ask(store, { fromUs, toUs: fromUs + windowUs }, env);
    return {
      spans: taken,
      intakeSpansPerS: taken / intakeS,
      bytesPerSpan: store.state().fileBytes / taken,
      questions,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(
  store: TelemetryStore,
  range: { fromUs: number; toUs: number },
  env: Environment,
): Promise<TelemetryMeasurement['questions']> {
  const between = [range.fromUs, range.toUs];
  const inRange = 'FROM spans WHERE start_us BETWEEN ? AND ? GROUP BY ALL';
  const all: [string, () => Promise<unknown>][] = [
    [
      'percentiles by route',
      () =>
        store.rows(
          `SELECT service, attributes->>'$."http.route"' AS route, count(*) AS n,
             approx_quantile(duration_us, 0.5), approx_quantile(duration_us, 0.99) ${inRange}`,
          between,
        ),
    ],
    [
      'spans each 10 s',
      () => store.rows(`SELECT start_us // 10000000 AS t, count(*) ${inRange}`, between),
    ],
    [
      'traces with errors',
      () => store.reads.searchTraces({ ...range, status: 'error', limit: 20 }),
    ],
    ['slow traces', () => store.reads.searchTraces({ ...range, durationUsMin: 80_000, limit: 20 })],
    ['who calls whom', () => store.reads.serviceEdges(range)],
  ];
  const measured: TelemetryMeasurement['questions'] = [];
  for (const [name, question] of all) {
    await question(); // What is read the first time comes from the disk.
    const start = process.cpuUsage();
    const startMs = env.monotonicMs();
    await question();
    measured.push({
      name,
      cpuMs: secondsSince(start) * 1_000,
      wallMs: env.monotonicMs() - startMs,
    });
  }
  return measured;
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000_000;
}
