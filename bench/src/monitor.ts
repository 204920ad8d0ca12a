// What it costs the monitor to take in spans, and to answer about the last fifteen minutes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEnvironment, silentLog } from '@rushlight/chassis';
import { measureTelemetry, type TelemetryMeasurement } from '@rushlight/monitor';
import { figure, table } from './table.ts';

const spansPerSMin = 50_000;
const questionMsMax = 200;
/** As far back as anything of the API looks. */
const watchedMinutes = 130;

/** Processor time, so that it can be compared between machines that are busy and ones that are not. */
export async function measureMonitor(
  spans: number,
  say: (text: string) => void,
): Promise<TelemetryMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-bench-'));
  try {
    const measured = await measureTelemetry({
      ...{ spans, watchedMinutes, env: realEnvironment, log: silentLog },
      folder: join(folder, 'telemetry'),
    });
    say(describe(measured));
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe({
  spans,
  intakeSpansPerS,
  bytesPerSpan,
  questions,
}: TelemetryMeasurement): string {
  const rows = questions.map(({ name, firstCpuMs, cpuMs, wallMs }) => [
    name,
    ...[firstCpuMs, cpuMs, wallMs].map(figure),
  ]);
  return [
    `${figure(spans)} spans: ${figure(intakeSpansPerS)} a second and core are taken in ` +
      `(promised: ${figure(spansPerSMin)}), ${figure(bytesPerSpan)} bytes each on disk.`,
    '',
    `The API about the last 15 minutes (promised: ${questionMsMax} ms), in a shop of eight services`,
    `that was watched for ${watchedMinutes} minutes:`,
    table(['question', 'first time: processor ms', 'again: processor ms', 'ms'], rows),
  ].join('\n');
}
