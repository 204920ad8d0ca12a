// examples/python-service beside the monitor as it runs, as its README says.

import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import { startMonitor } from './running-monitor.ts';

const program = fileURLToPath(new URL('../../examples/python-service/bakery.py', import.meta.url));
const version = spawnSync('python3', ['--version'], { encoding: 'utf8' });
const hasPython = version.status === 0;
if (!hasPython) process.stdout.write('not run: examples/python-service needs python3\n');

/** The program, once it says where its metrics are. */
async function startBakery(endpoint: string) {
  const child = spawn('python3', [program, '--port', '0', '--every', '0.2'], {
    env: { PATH: process.env['PATH'] ?? '', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const url = (): string | undefined => /metrics at (\S+\/metrics)/.exec(said)?.[1];
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await until(hasEnded, { deadlineMs: 30_000, what: 'the bakery to end' });
    return child.exitCode;
  };
  try {
    await until(() => url() !== undefined || hasEnded(), {
      deadlineMs: 60_000,
      what: 'the bakery',
    });
    return { metricsUrl: url() ?? expect.unreachable(said), stop, said: () => said };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
}

test.runIf(hasPython)(
  'a program in Python is seen as a service, with traces and logs',
  {
    timeout: 240_000,
  },
  async () => {
    await using running = await startMonitor();
    const { ask } = running;
    const { otlpPort } = await ask('monitorHealth');
    const bakery = await startBakery(`http://127.0.0.1:${otlpPort}`);
    try {
      const { metricsUrl } = bakery;
      await ask('watchService', { body: { name: 'bakery', metricsUrl } });
      const ofBakery = async () =>
        (await ask('listWatchedServices')).services.find(({ name }) => name === 'bakery');
      await until(async () => (await ofBakery())?.from === 'metrics', {
        deadlineMs: 90_000,
        what: 'the rate of the bakery',
      });
      expect(await ofBakery()).toMatchObject({ own: true, up: true, rate: expect.any(Number) });

      const callersTrace = '0af7651916cd43dd8448eb211c80319c';
      const asked = await fetch(metricsUrl.replace('/metrics', '/bake'), {
        method: 'POST',
        headers: { traceparent: `00-${callersTrace}-b7ad6b7169203331-01` },
      });
      expect(await asked.json()).toEqual({ traceId: callersTrace });
      const traceIds = async () =>
        (await ask('searchTraces', { query: { service: 'bakery', limit: '500' } })).traces.map(
          ({ traceId }) => traceId,
        );
      await until(async () => (await traceIds()).includes(callersTrace), {
        deadlineMs: 60_000,
        what: 'the trace that was gone on with',
      });
      const trace = await ask('getTrace', { params: { traceId: callersTrace } });
      expect(trace.spans.map(({ name }) => name)).toEqual(['POST /bake', 'oven']);
      await until(
        async () =>
          (await ask('searchLogs', { query: { traceId: callersTrace } })).lines.length === 1,
        { deadlineMs: 60_000, what: 'its line of log' },
      );
      expect(await bakery.stop('SIGTERM'), bakery.said()).toBe(0);
      await until(async () => (await ofBakery())?.up === false, {
        deadlineMs: 60_000,
        what: 'the monitor to see that it is down',
      });
    } finally {
      await bakery.stop('SIGKILL');
    }
  },
);
