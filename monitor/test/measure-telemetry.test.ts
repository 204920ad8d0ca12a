import { silentLog } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { measureTelemetry } from '../src/measure/telemetry.ts';
import { atNoon, temporaryFolder } from './store-under-test.ts';

test('every span is taken in, and every question is measured', async () => {
  using folder = temporaryFolder();
  const plan = { spans: 2_000, folder: `${folder.path}/made`, env: atNoon, log: silentLog };
  const measured = await measureTelemetry(plan);
  expect(measured).toMatchObject({ spans: 2_000, questions: { length: 5 } });
  expect(measured.intakeSpansPerS).toBeGreaterThan(0);
  expect(measured.bytesPerSpan).toBeGreaterThan(0);
});
