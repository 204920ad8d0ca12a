import { silentLog } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { measureTelemetry } from '../src/measure/telemetry.ts';
import { atNoon, temporaryFolder } from './store-under-test.ts';

test('every span is taken in, and every question is measured', { timeout: 150_000 }, async () => {
  using folder = temporaryFolder();
  const plan = { spans: 2_000, watchedMinutes: 3, folder: `${folder.path}/made` };
  const measured = await measureTelemetry({ ...plan, env: atNoon, log: silentLog });
  expect(measured.spans).toBe(2_000);
  expect(measured.questions.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GET /api/services', 'GET /api/anomalies']),
  );
  expect(measured.intakeSpansPerS).toBeGreaterThan(0);
  expect(measured.bytesPerSpan).toBeGreaterThan(0);
});
