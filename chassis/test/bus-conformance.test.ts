import { type Bus, openPostgresBus } from '../src/bus/index.ts';
import { realEnvironment as env } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import {
  asAdmin,
  busConformance,
  conformancePolicy,
  freshDatabase,
  testPostgres,
} from '../src/testing/index.ts';

busConformance('bus on Postgres', async () => {
  const database = await freshDatabase('bus');
  const names = new Map<Bus, string>();
  return {
    connect: async () => {
      const name = `process-${names.size + 1}`;
      const bus = await openPostgresBus({
        url: database.url,
        name,
        env,
        log: silentLog,
        policy: conformancePolicy,
      });
      names.set(bus, name);
      return bus;
    },
    kill: (bus) =>
      asAdmin(testPostgres(), [
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '${database.name}' AND application_name = '${names.get(bus)}'`,
      ]),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});
