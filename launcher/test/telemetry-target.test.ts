import { serviceNames } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { startPlatform } from '../src/index.ts';
import { findFreePort } from '../src/ports.ts';
import { fakeCommand } from './fake-command.ts';
import { temporaryFolder } from './support.ts';

type Told = { environment: Record<string, string> };

test('services send telemetry where the user says', async () => {
  using data = temporaryFolder();
  await using other = await startPlatform({
    data: data.path,
    port: 0,
    lab: true,
    otlp: { endpoint: 'https://collector.example', headers: 'authorization=Basic%20YTpi' },
    settings: { RUSHLIGHT_MONITOR_OTLP_PORT: '0' },
    command: fakeCommand,
  });
  const answer = await fetch(other.serviceUrl('orders'));
  const { environment } = (await answer.json()) as Told;
  expect(environment).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi',
  });
});

test('the monitor has the port that the settings say', async () => {
  using data = temporaryFolder();
  const port = await findFreePort(new Set(), '127.0.0.1');
  const settings = { RUSHLIGHT_MONITOR_PORT: String(port), RUSHLIGHT_MONITOR_OTLP_PORT: '0' };
  const options = { data: data.path, port: 0, lab: true, settings, command: fakeCommand };
  await using platform = await startPlatform(options);
  expect(platform.serviceUrl('monitor')).toBe(`http://127.0.0.1:${port}`);
  using other = temporaryFolder();
  await expect(startPlatform({ ...options, data: other.path })).rejects.toThrow(
    `Port ${port} of RUSHLIGHT_MONITOR_PORT is taken. Choose another one, or 0 for any.`,
  );
});

test('a platform without a monitor sends telemetry nowhere', async () => {
  using data = temporaryFolder();
  const options = { data: data.path, port: 0, lab: true, monitor: false, command: fakeCommand };
  await using other = await startPlatform(options);
  expect(other.otlp).toBeUndefined();
  expect(other.parts().map(({ name }) => name)).not.toContain('monitor');
  const { environment } = (await (await fetch(other.serviceUrl('gateway'))).json()) as Told;
  expect(environment).not.toHaveProperty('OTEL_EXPORTER_OTLP_ENDPOINT');
  expect(Object.keys(JSON.parse(environment['RUSHLIGHT_SERVICE_URLS'] ?? ''))).toEqual(
    serviceNames,
  );
});
