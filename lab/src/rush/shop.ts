// The platform under the rush: one of our own on a folder of its own, or one that runs already.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicApi } from '@rushlight/contracts';
import { type Platform, type Scale, startPlatform } from '@rushlight/launcher';
import { type Api, createApi } from './api.ts';
import type { PlannedFault } from './fault-plan.ts';
import { everything } from './fault-plan.ts';
import type { Login } from './options.ts';

export type Shop = {
  readonly api: Api;
  readonly url: string;
  /** There where we started it. */
  readonly platform: Platform | undefined;
  /** Begins a fault. @throws ApiRefusal when it cannot be begun */
  begin(fault: PlannedFault): Promise<void>;
  /** Ends all faults, and waits until every part is back. */
  heal(): Promise<void>;
  /** @param keepsData leaves data and logs where they are */
  close(keepsData: boolean): Promise<void>;
};

const healMsMax = 60_000;
const beginMsMax = 10_000;
const lookMs = 200;

/** Logs the admin in. The token is used from then on. */
export async function logIn(api: Api, { studentId, password }: Login): Promise<void> {
  const { body } = await api.call(publicApi.login, { body: { studentId, password } });
  api.useToken(body.token);
}

/** A platform that runs already. */
export async function visitShop(url: string, admin: Login): Promise<Shop> {
  const api = createApi(new URL(url).origin);
  await logIn(api, admin);
  return {
    api,
    url: new URL(url).origin,
    platform: undefined,
    begin: (fault) => beginByApi(api, fault),
    heal: async () => {
      await api.call(publicApi.clearFaults, {}, healMsMax);
      await untilAllUp(api);
    },
    close: async () => api.close(),
  };
}

/** Starts a platform for the rush alone: kitchen time 0, and nobody is too quick. */
export async function openShop(
  admin: Login,
  folder: string = mkdtempSync(join(tmpdir(), 'rushlight-rush-')),
  signal?: AbortSignal,
  scale?: Scale,
): Promise<Shop> {
  const platform = await startPlatform({
    data: join(folder, 'data'),
    port: 0,
    lab: true,
    scale,
    settings: {
      RUSHLIGHT_KITCHEN_COOK_S_MIN: '0',
      RUSHLIGHT_KITCHEN_COOK_S_MAX: '0',
      RUSHLIGHT_GATEWAY_ORDERS_PER_S: '1000',
      RUSHLIGHT_GATEWAY_ORDERS_BURST: '1000',
      RUSHLIGHT_MONITOR_OTLP_PORT: '0',
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const api = createApi(platform.url);
  const close = async (keepsData: boolean): Promise<void> => {
    api.close();
    await platform.stop();
    if (!keepsData && existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await logIn(api, admin);
  } catch (error) {
    await close(false);
    throw error;
  }
  return {
    api,
    url: platform.url,
    platform,
    begin: async (fault) => {
      if (fault.target !== everything) await beginByApi(api, fault);
      else for (const { pid } of platform.parts()) if (pid !== null) process.kill(pid, 'SIGKILL');
    },
    heal: async () => {
      await api.call(publicApi.clearFaults, {}, healMsMax);
      await untilAllUp(api);
    },
    close,
  };
}

async function beginByApi(api: Api, { fault, target, durationS }: PlannedFault): Promise<void> {
  await api.call(publicApi.startFault, { body: { fault, target, durationS } }, beginMsMax);
}

async function untilAllUp(api: Api): Promise<void> {
  const endMs = performance.now() + healMsMax;
  for (;;) {
    const { body } = await api.call(publicApi.listServices, {}, healMsMax);
    const down = body.filter(({ state }) => state !== 'up').map(({ name }) => name);
    if (down.length === 0) return;
    if (performance.now() > endMs) {
      throw new Error(`Not up ${healMsMax / 1_000} s after everything was healed: ${down}`);
    }
    await sleep(lookMs);
  }
}
