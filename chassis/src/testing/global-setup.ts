// One Postgres for a whole run of vitest, whatever files run in it: the embedded one, or the one that
// RUSHLIGHT_POSTGRES_URL names, as whoever may make databases and roles there. Where
// RUSHLIGHT_POOLER_URL is given, databases are made there, and used through that pooler.

import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    testPostgresUrl: string;
    testPoolerUrl: string | undefined;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('testPoolerUrl', process.env['RUSHLIGHT_POOLER_URL']);
  const given = process.env['RUSHLIGHT_POSTGRES_URL'];
  if (given) {
    project.provide('testPostgresUrl', given);
    return async () => undefined;
  }
  const postgres = await startTestPostgres();
  project.provide('testPostgresUrl', postgres.url);
  return async () => postgres[Symbol.asyncDispose]();
}
