// A RabbitMQ for one test file: a real one, on ports of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import {
  findRabbitmq,
  RotatedLog,
  rabbitmqctl,
  rabbitmqPart,
  rabbitmqUrl,
} from '@rushlight/launcher';
import { eventually } from './eventually.ts';

export type TestRabbitmq = {
  /** An empty virtual host of its own. */
  freshUrl(): string;
  ctl(...args: readonly string[]): string;
  /** SIGKILL. Resolves when it is up again. */
  kill(): Promise<void>;
  /** Stops it and starts it, gracefully. Resolves when it is up again. */
  restart(): Promise<void>;
  processId(): number;
} & AsyncDisposable;

/** Why there is none to be had here, if so. */
export function rabbitmqMissing(): string | undefined {
  return findRabbitmq()
    ? undefined
    : 'rabbitmq-server is missing (to have it: apt-get install rabbitmq-server)';
}

const hostsAtOnce = 28;
const password = 'only-for-tests';

/** Starts one with nothing in it; disposing stops it and removes what it wrote. */
export async function startTestRabbitmq(): Promise<TestRabbitmq> {
  const programs = findRabbitmq();
  if (!programs) throw new Error(rabbitmqMissing());
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-rabbitmq-'));
  const log = new RotatedLog(`${folder}.log`);
  const ports = { amqp: await freePort(), distribution: await freePort(), names: await freePort() };
  const part = rabbitmqPart({ programs, folder, ports, password, log, onEvent: () => undefined });
  const ctl = (...args: readonly string[]): string =>
    rabbitmqctl({ programs, folder, ports }, ...args);
  part.start();
  await part.whenUp().catch((error: Error) => {
    throw new Error(`${error.message}. It said:\n${log.tail().join('\n')}`);
  });
  let made = 0;
  let used = 0;
  const again = async (signal: NodeJS.Signals): Promise<void> => {
    const before = part.pid;
    part.signal(signal);
    await eventually('the broker to end', () => part.pid !== before, { deadlineMs: 60_000 });
    await part.whenUp();
  };
  return {
    freshUrl: () => {
      if (used === made) {
        ctl('eval', makeHosts(made + 1, made + hostsAtOnce));
        made += hostsAtOnce;
      }
      used += 1;
      return rabbitmqUrl(ports.amqp, password, `host${used}`);
    },
    ctl,
    kill: () => again('SIGKILL'),
    restart: () => again('SIGTERM'),
    processId: () => part.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      await part.stop([{ signal: 'SIGKILL', waitMs: 5_000 }]);
      log.close();
      rmSync(folder, { recursive: true, force: true });
      rmSync(`${folder}.log`, { force: true });
    },
  };
}

/** Many at once, because each start of its tool takes half a second. */
function makeHosts(from: number, to: number): string {
  return `[begin
    Name = list_to_binary("host" ++ integer_to_list(N)),
    rabbit_vhost:add(Name, <<"test">>),
    All = <<".*">>,
    rabbit_auth_backend_internal:set_permissions(<<"rushlight">>, Name, All, All, All, <<"test">>)
  end || N <- lists:seq(${from}, ${to})], ok.`;
}
