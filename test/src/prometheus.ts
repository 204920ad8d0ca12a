// Debian's Prometheus, as the reference: started on samples of the test's own.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import { request } from 'undici';
import { eventually } from './eventually.ts';

export type ReferenceSeries = {
  /** `__name__` included. */
  labels: Readonly<Record<string, string>>;
  samples: readonly (readonly [atMs: number, value: number])[];
};

export type ReferencePrometheus = {
  /** Asks its HTTP API; `path` like `/api/v1/query`. */
  ask(path: string, parameters: Record<string, string>): Promise<{ status: number; body: unknown }>;
  /** What is not asked for with parameters; `path` like `/api/v1/rules`. */
  get(path: string): Promise<unknown>;
} & AsyncDisposable;

/** Why there is none to be had here, if so. */
export function prometheusMissing(): string | undefined {
  for (const program of ['prometheus', 'promtool']) {
    const { status } = spawnSync(program, ['--version'], { timeout: 20_000 });
    if (status !== 0) return `${program} is missing (to have it: apt-get install prometheus)`;
  }
  return undefined;
}

/** What `promtool test rules` says to a file of tests. */
export function promtoolTest(tests: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-promtool-'));
  try {
    // Every JSON is YAML as well.
    writeFileSync(join(folder, 'tests.yml'), JSON.stringify(tests));
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'tests.yml'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 110_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return `${stdout}${stderr}`.slice(0, 5_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts a Prometheus that knows these samples and nothing else; disposing stops it.
 *
 * @throws Error with what its tools said, when they refuse
 */
export async function startPrometheus(
  series: readonly ReferenceSeries[],
): Promise<ReferencePrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-prometheus-'));
  const free = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const [samples, data] = [join(folder, 'samples'), join(folder, 'data')];
    writeFileSync(samples, openMetrics(series));
    writeFileSync(join(folder, 'prometheus.yml'), 'scrape_configs: []\n');
    const create = ['tsdb', 'create-blocks-from', 'openmetrics', samples, data];
    const created = spawnSync('promtool', create, { encoding: 'utf8', timeout: 60_000 });
    if (created.status !== 0) throw new Error(`promtool says: ${created.stderr}`);
    return await start(folder, data, free);
  } catch (error) {
    free();
    throw error;
  }
}

/** Starts a Prometheus on the configuration in a folder, which is the caller's to remove. */
export function startPrometheusIn(folder: string): Promise<ReferencePrometheus> {
  return start(folder, join(folder, 'data'), () => undefined);
}

async function start(folder: string, data: string, free: () => void): Promise<ReferencePrometheus> {
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      // The samples are as old as the test says; nothing is too old.
      '--storage.tsdb.retention.time=100y',
      '--enable-feature=exemplar-storage',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    free();
  };
  const url = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    const { statusCode, body } = await request(`${url}/-/ready`);
    await body.dump();
    return statusCode === 200;
  };
  try {
    await eventually('Prometheus to be ready', isReady, { deadlineMs: 60_000, everyMs: 100 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ask: async (path, parameters) => {
      const { statusCode, body } = await request(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(parameters).toString(),
        headersTimeout: 30_000,
        bodyTimeout: 30_000,
      });
      return { status: statusCode, body: await body.json() };
    },
    get: async (path) => (await request(`${url}${path}`)).body.json(),
    [Symbol.asyncDispose]: stop,
  };
}

/** Quarters of a second alone survive its way to ms exactly. */
function openMetrics(series: readonly ReferenceSeries[]): string {
  const lines = series.flatMap(({ labels, samples }) => {
    const { __name__: name = '', ...others } = labels;
    const pairs = Object.entries(others).map(
      ([label, value]) => `${label}=${JSON.stringify(value)}`,
    );
    const head = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
    return samples.map(([atMs, value]) => `${head} ${valueText(value)} ${atMs / 1_000}`);
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
