// What the manifests are held against: the contracts, what services read, and what `setup secrets`
// makes.

import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessName, processNames, serviceEnvironment } from '@rushlight/contracts';

const root = new URL('../../../', import.meta.url).pathname;

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Variables that this process reads, by their full names. */
function variablesOf(name: ProcessName): Set<string> {
  const folder = name === 'monitor' ? 'monitor' : `services/${name}`;
  const own = globSync(`${folder}/src/**/*.ts`, { cwd: root }).flatMap(settingsIn);
  return new Set([
    ...Object.keys(serviceEnvironment),
    ...settingsIn('chassis/src/service.ts'),
    ...own,
  ]);
}

/** The variables that a file declares as properties of a schema. */
function settingsIn(path: string): string[] {
  return [...read(path).matchAll(/^\s+(RUSHLIGHT_\w+):/gm)].map(([, name = '']) => name);
}

function numberIn(path: string, pattern: RegExp): number {
  const [, digits] = pattern.exec(read(path)) ?? [];
  if (digits === undefined) throw new Error(`${path} has no ${pattern}`);
  return Number(digits.replaceAll('_', ''));
}

export type Surroundings = {
  variables: ReadonlyMap<string, ReadonlySet<string>>;
  /** Paths that every process answers for operators. */
  operations: readonly string[];
  /** A process that was told to stop has ended after this. */
  stopS: number;
  /** To Postgres, of each store of a process, unless it is told otherwise. */
  connectionsPerStore: number;
  /** The files that `setup secrets` makes, by reader. */
  secrets: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of one file of them. */
  secretText(reader: string, name: string): string;
  version: string;
  /** The page that a person reads who makes what is missing. */
  page: string;
};

/** Also makes secrets, in a folder that `close` removes. */
export function openSurroundings(): Surroundings & { close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-kubernetes-'));
  const engines = ['--postgres', 'postgres://postgres:5432', '--bus', 'amqp://rabbitmq:5672'];
  execFileSync(
    process.execPath,
    [
      ...[join(root, 'deploy/setup/src/main.ts'), 'secrets', folder],
      ...[...engines, '--cache', 'redis://redis:6379'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], timeout: 110_000 },
  );
  const secrets = readdirSync(folder).map(
    (reader) => [reader, new Set(readdirSync(join(folder, reader)))] as const,
  );
  const operations = [
    ...read('chassis/src/http/operations.ts').matchAll(/app\.get\('(\/\w+)'/g),
  ].map(([, path = '']) => path);
  return {
    variables: new Map(processNames.map((name) => [name, variablesOf(name)])),
    operations,
    stopS: numberIn('chassis/src/service.ts', /const (?:drain|stop)MsMax = ([\d_]+);/) / 1_000,
    connectionsPerStore: numberIn(
      'chassis/src/config.ts',
      /CONNECTIONS_MAX: .*\.default\(([\d_]+)\)/,
    ),
    secrets: new Map(secrets),
    secretText: (reader, name) => readFileSync(join(folder, reader, name), 'utf8'),
    version: (JSON.parse(read('package.json')) as { version: string }).version,
    page: read('docs/KUBERNETES.md'),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
