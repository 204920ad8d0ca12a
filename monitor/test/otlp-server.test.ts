import { expect, test } from 'vitest';
import { startOtlpServer } from '../src/otlp-server.ts';
import type { TelemetryIntake } from '../src/store/face.ts';
import { atNoon, rememberingLog } from './store-under-test.ts';

const intake: TelemetryIntake = { spans: () => {}, logs: () => {}, samples: () => {} };
const host = '127.0.0.1';

test('a port that is taken is a warning, and another port', async () => {
  const log = rememberingLog();
  const first = await startOtlpServer({ host, port: 0, intake, env: atNoon, log });
  const { port } = first;
  const second = await startOtlpServer({ host, port, intake, env: atNoon, log });
  expect(second.port).not.toBe(port);
  expect(log.told.map(({ message }) => message)).toContain(
    'the port of OTLP is taken; another one is opened',
  );
  for (const server of [first, second]) {
    const answer = await fetch(`http://${host}:${server.port}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await answer.json()).toEqual({});
    await server.close();
  }
});
