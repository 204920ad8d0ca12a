// What has to be done once before an installation of containers starts, as commands of the image.
// Each can be repeated at every start: what is done already is left as it is.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { databaseNames, ensureDatabases, ping } from './databases.ts';
import { readIfThere } from './files.ts';
import { keepSecrets } from './kept-secrets.ts';
import type { EngineAddresses } from './secret-files.ts';
import { writeSecrets } from './write-secrets.ts';

const usage = `Usage:
  setup secrets DIR --postgres URL [--bus URL] [--cache URL]
      Makes keys and passwords that are missing, and the files that services and engines read.
      URLs are without logins: postgres://host:5432, amqp://host:5672 (absent: the embedded bus),
      redis://host:6379 (absent: none).
  setup databases DIR
      Waits for the server, makes the roles and databases that are missing, sets their passwords.`;

const waitMsMax = 120_000;
const pauseMs = 500;

/** Something that the operator can put right; its message is all they need. */
class Obstacle extends Error {}

const schemes = {
  postgres: ['postgres:', 'postgresql:'],
  bus: ['amqp:', 'amqps:'],
  cache: ['redis:', 'rediss:'],
} as const;

function readUrl(option: keyof typeof schemes, text: string | undefined): URL | undefined {
  if (text === undefined || text === '') return undefined;
  const url = URL.parse(text);
  if (url === null || !(schemes[option] as readonly string[]).includes(url.protocol)) {
    throw new Obstacle(`--${option} must be a ${schemes[option].join('// or ')}// URL: "${text}"`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Obstacle(`--${option}: without a login; setup makes one`);
  }
  return url;
}

function readEngines(values: Partial<Record<keyof typeof schemes, string>>): EngineAddresses {
  const postgres = readUrl('postgres', values.postgres);
  if (postgres === undefined) throw new Obstacle(`--postgres is missing.\n${usage}`);
  return { postgres, bus: readUrl('bus', values.bus), cache: readUrl('cache', values.cache) };
}

async function makeDatabases(folder: string): Promise<void> {
  const url = readIfThere(join(folder, 'setup/superuser-url'))?.trim();
  if (url === undefined)
    throw new Obstacle(`${folder} holds no secrets: run "setup secrets" first`);
  const { roles } = keepSecrets(join(folder, 'setup/kept.json'));
  await untilItAnswers(url);
  await ensureDatabases(url, roles);
  say(`${databaseNames.length} databases are there, each with a role of its own`);
}

async function untilItAnswers(url: string): Promise<void> {
  const endMs = performance.now() + waitMsMax;
  for (;;) {
    try {
      return await ping(url);
    } catch (error) {
      if (performance.now() > endMs) {
        const { host } = new URL(url);
        throw new Obstacle(`Postgres at ${host} does not answer: ${(error as Error).message}`);
      }
      await sleep(pauseMs);
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(words: string[]): Promise<void> {
  const options = { postgres: { type: 'string' }, bus: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({
    args: words,
    options: { ...options, cache: { type: 'string' } },
    allowPositionals: true,
  });
  const [command, folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new Obstacle(usage);
  if (command === 'secrets') {
    const written = writeSecrets(folder, readEngines(values));
    say(written.length === 0 ? 'all secrets are there' : `made ${written.join(', ')}`);
  } else if (command === 'databases') await makeDatabases(folder);
  else throw new Obstacle(usage);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  const isTheirs = error instanceof Obstacle || code?.startsWith('ERR_PARSE_ARGS') === true;
  process.stderr.write(`${isTheirs ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
