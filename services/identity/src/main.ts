import { runService } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { z } from 'zod';
import { addDemoUsers, addFirstAdmin } from './first-users.ts';
import { createHandlers, routes } from './handlers.ts';
import { createLoginLimit } from './login-limit.ts';
import { createPasswords, weakness } from './passwords.ts';
import { openSigningKeys } from './signing-keys.ts';
import { createTokens } from './tokens.ts';
import { createUsers } from './users.ts';

const settings = z.object({
  RUSHLIGHT_IDENTITY_HASHES_RUNNING_MAX: z.coerce.number().int().min(1).max(16).default(2),
  RUSHLIGHT_IDENTITY_HASHES_WAITING_MAX: z.coerce.number().int().min(0).max(1_000).default(64),
  RUSHLIGHT_IDENTITY_TOKEN_LIVES_S: z.coerce.number().int().min(60).max(86_400).default(14_400),
  RUSHLIGHT_IDENTITY_KEY_SIGNS_DAYS: z.coerce.number().min(0.001).max(365).default(30),
  /** Of the first admin; absent: a random one, which is left in a file in the data folder. */
  RUSHLIGHT_IDENTITY_ADMIN_PASSWORD: z
    .string()
    .max(limits.passwordLengthMax)
    .superRefine((password, context) => {
      const why = weakness(password, 'admin');
      if (why !== undefined) context.addIssue({ code: 'custom', message: `is too weak: ${why}` });
    })
    .optional(),
});

const dayMs = 86_400_000;

await runService({
  settings,
  start: async (service) => {
    const { config, env, log, metrics } = service;
    const tokenLivesS = service.settings.RUSHLIGHT_IDENTITY_TOKEN_LIVES_S;
    const store = await service.openStore({
      url: config.databaseUrl,
      migrations: new URL('../migrations/', import.meta.url),
    });
    const bus = await service.openBus();
    service.startRelay(store, bus);

    const passwords = await createPasswords(
      service.settings.RUSHLIGHT_IDENTITY_HASHES_RUNNING_MAX,
      service.settings.RUSHLIGHT_IDENTITY_HASHES_WAITING_MAX,
    );
    const keys = await openSigningKeys(store, env, {
      lab: config.lab,
      signsMs: service.settings.RUSHLIGHT_IDENTITY_KEY_SIGNS_DAYS * dayMs,
      tokenLivesMs: tokenLivesS * 1_000,
    });
    const users = createUsers(store, env);
    const tokens = createTokens(keys, env, tokenLivesS);
    if (config.lab) await addDemoUsers(users, passwords);
    else {
      const password = service.settings.RUSHLIGHT_IDENTITY_ADMIN_PASSWORD;
      await addFirstAdmin(users, passwords, { dataFolder: config.dataFolder, log, password });
    }

    service.every('rotate signing keys', 60_000, () => keys.rotate());
    service.every('forget expired revocations', 60_000, () => users.forgetExpired());
    const cache = await service.openCache();
    const loginLimit = createLoginLimit(env, cache);
    const lab = config.lab;
    service.server.handle(
      routes,
      createHandlers({ users, passwords, loginLimit, keys, tokens, cache, env, metrics, lab }),
    );
  },
});
