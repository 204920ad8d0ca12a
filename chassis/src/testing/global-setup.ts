// One Postgres for a whole run of vitest, whatever files run in it.

import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    testPostgresUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  project.provide('testPostgresUrl', postgres.url);
  return async () => postgres[Symbol.asyncDispose]();
}
