// What runs: Postgres, the services, the monitor and the control server, from start to stop.
//
// W1. Nobody waits for the monitor: a start is over without it, and never fails without it.
// W2. It is started first and ended last, so that it hears all the others; and while Postgres starts
//     nobody else has much to do.

import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessName, partNames, processNames, serviceNames } from '@rushlight/contracts';
import { databaseNames, ensureDatabases, makeServiceKeys } from '@rushlight/setup';
import { ChildrenFile, endOrphans } from './children.ts';
import { FaultBook } from './control/fault-book.ts';
import { startControlServer } from './control/server.ts';
import { tokenCheck } from './control/service-token.ts';
import { checkFormat, type DataFolder, forgetData, migrateFormat } from './data-folder.ts';
import { readIfThere } from './files.ts';
import { keepJournal } from './journal.ts';
import { LaunchError } from './launch-error.ts';
import { RotatedLog } from './logs.ts';
import { type OtlpPort, otlpPortDefault, takeOtlpPort } from './otlp-port.ts';
import type { Part, PartEvent } from './part.ts';
import { PartsView } from './parts-view.ts';
import type { Platform, PlatformOptions } from './platform-types.ts';
import { checkGatewayPort, checkSettingsPort, findFreePort } from './ports.ts';
import { ensureCluster, forgetCluster } from './postgres/cluster.ts';
import { databaseUrl, superuserUrl } from './postgres/databases.ts';
import { choosePlace, type Place } from './postgres/place.ts';
import { endOrphanedPostgres, postgresPart } from './postgres/server.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { environmentOf, type Surroundings, settingsOf } from './service-environment.ts';
import { compileCacheIn, serviceCommand, servicePart } from './service-part.ts';
import { removeTargets, writeTargets } from './targets-file.ts';

type Ports = ReadonlyMap<string, number>;
type Shared = Omit<Surroundings, 'host' | 'port' | 'folder'>;

const otlpPortSetting = 'RUSHLIGHT_MONITOR_OTLP_PORT';
const monitorPortSetting = 'RUSHLIGHT_MONITOR_PORT';

/** How long other parts may take to fail as well, so that all mistakes are told together. */
const furtherFailuresMs = 500;

export class Running {
  readonly #folder: DataFolder;
  readonly #options: PlatformOptions;
  readonly #children: ChildrenFile;
  readonly #parts = new Map<string, Part>();
  readonly #logs = new Map<string, RotatedLog>();
  readonly #faults = new FaultBook(this.#parts);
  readonly #view = new PartsView(this.#parts);
  #ports: Ports = new Map();
  #otlp: OtlpPort | undefined;
  #secrets: Secrets | undefined;
  #control: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(folder: DataFolder, options: PlatformOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#children = new ChildrenFile(folder.children);
  }

  /** Resolves when every part is ready. What a failed start leaves behind, `stop` ends. */
  async start(): Promise<void> {
    const { signal } = this.#options;
    const place = await this.#clearTheGround();
    this.#ports = await choosePorts(this.#options);
    const { monitor = true } = this.#options;
    const given = new Set(this.#ports.values());
    if (monitor) this.#otlp = await takeOtlpPort(wantedOtlpPort(this.#options), given);
    signal?.throwIfAborted();
    process.once('exit', this.#endAtExit);
    const secrets = openSecrets(this.#folder.secrets, databaseNames);
    this.#secrets = secrets;
    const shared = await this.#surroundings(secrets);
    if (monitor) this.#addProcess('monitor', shared); // W2
    if (await ensureCluster(place, secrets)) this.#say('made the database');
    signal?.throwIfAborted();
    await this.#startPostgres(place, secrets);
    for (const name of serviceNames) this.#addProcess(name, shared);
    writeTargets(this.#folder.targets, shared.urls);
    await this.#allUp(serviceNames);
  }

  view(): Omit<Platform, 'stop' | typeof Symbol.asyncDispose> {
    const partOf = (name: string): Part => {
      const part = this.#parts.get(name);
      if (part === undefined) throw new LaunchError(`There is no part ${name}.`);
      return part;
    };
    return {
      url: this.#serviceUrl('gateway'),
      postgresPort: this.#port('postgres'),
      logs: this.#folder.logs,
      otlp: this.#otlp && { url: otlpUrl(this.#otlp), warning: this.#otlp.warning },
      takeFirstAdminPassword: () => {
        const path = join(this.#folder.service('identity'), 'first-admin-password');
        const password = readIfThere(path)?.trim();
        rmSync(path, { force: true });
        return password === '' ? undefined : password;
      },
      parts: () => this.#view.read(),
      serviceUrl: (name) => this.#serviceUrl(name),
      databaseUrl: (name) => databaseUrl(this.#port('postgres'), this.#needSecrets(), name),
      kill: (name) => partOf(name).signal('SIGKILL'),
      startFault: (fault) => void this.#faults.start(fault),
      endFaults: () => this.#faults.endAll(),
      whenUp: (name) => partOf(name).whenUp(),
      logTail: (name) => this.#logs.get(name)?.tail() ?? [],
    };
  }

  /** Ends the gateway, then the other services, then the monitor and Postgres. */
  async stop({ atOnce = false }: { atOnce?: boolean }): Promise<void> {
    if (atOnce) for (const part of this.#parts.values()) endNow(part);
    this.#stopping ??= this.#stopInOrder();
    await this.#stopping;
  }

  async #stopInOrder(): Promise<void> {
    this.#faults.endAll();
    await this.#parts.get('gateway')?.stop();
    this.#control?.close();
    this.#control?.closeAllConnections();
    const services = serviceNames.filter((name) => name !== 'gateway');
    await Promise.all(services.map((name) => this.#parts.get(name)?.stop()));
    await Promise.all(['monitor', 'postgres'].map((name) => this.#parts.get(name)?.stop()));
    this.#children.remove();
    removeTargets(this.#folder.targets);
    this.#otlp?.release();
    for (const log of this.#logs.values()) log.close();
    process.off('exit', this.#endAtExit);
  }

  /** The last resort, when this process ends without `stop`: nobody is asked to be quick. */
  readonly #endAtExit = (): void => {
    for (const part of this.#parts.values()) endNow(part);
    this.#otlp?.release();
  };

  /** Checks the folder, ends what an earlier launcher left, and forgets the data if asked to. */
  async #clearTheGround(): Promise<Place> {
    const { fresh = false } = this.#options;
    checkFormat(this.#folder, fresh);
    const orphans = await endOrphans(this.#folder.children);
    const place = choosePlace(this.#folder.postgres);
    if (await endOrphanedPostgres(place)) orphans.push('postgres');
    if (orphans.length > 0) this.#say(`ended what an earlier start left: ${orphans.join(', ')}`);
    if (fresh) {
      forgetCluster(place);
      forgetData(this.#folder);
    }
    migrateFormat(this.#folder);
    return fresh ? choosePlace(this.#folder.postgres) : place;
  }

  async #startPostgres(place: Place, secrets: Secrets): Promise<void> {
    const port = this.#port('postgres');
    const log = this.#openLog('postgres');
    const onEvent = (event: PartEvent): void => this.#onPostgres(event);
    this.#add(postgresPart({ place, port, secrets, log, onEvent }));
    await this.#allUp(['postgres']);
    await ensureDatabases(superuserUrl(port, secrets), secrets.roles);
  }

  async #surroundings(secrets: Secrets): Promise<Shared> {
    const names = this.#otlp ? processNames : serviceNames;
    const keys = makeServiceKeys(names);
    const gatewayKey = keys.publicKeys.find(({ kid }) => kid === 'gateway');
    return {
      postgresPort: this.#port('postgres'),
      databaseUrl: this.#options.databaseUrl,
      controlPort: await this.#startControl(gatewayKey),
      urls: Object.fromEntries(names.map((name) => [name, this.#serviceUrl(name)])),
      ...{ keys, secrets, lab: this.#options.lab },
      otlp: this.#options.otlp ?? (this.#otlp && { endpoint: otlpUrl(this.#otlp) }),
    };
  }

  #addProcess(name: ProcessName, shared: Shared): void {
    const { host = '127.0.0.1', command = serviceCommand, settings, env } = this.#options;
    const folder = this.#folder.service(name);
    const around: Surroundings = {
      ...shared,
      host: name === 'gateway' ? host : '127.0.0.1',
      port: this.#port(name),
      folder,
    };
    const part = servicePart({
      ...{ name, command, folder, compileCache: compileCacheIn(this.#folder.cache) },
      environment: environmentOf(name, around),
      settings: {
        ...(name === 'monitor' ? { RUSHLIGHT_MONITOR_LOG_FOLDER: this.#folder.logs } : {}),
        ...settingsOf(name, settings),
        ...env?.[name],
        ...(name === 'monitor' ? { [otlpPortSetting]: String(this.#otlp?.port) } : {}),
      },
      log: this.#openLog(name),
      onEvent: (event) => this.#onProcess(name, event),
    });
    this.#add(part);
  }

  /** Returns its port: any free one, because it stays open as long as we live. */
  async #startControl(gatewayKey: Parameters<typeof tokenCheck>[1] | undefined): Promise<number> {
    if (gatewayKey === undefined) throw new LaunchError('The gateway has no key.');
    const check = tokenCheck('gateway', gatewayKey);
    const control = await startControlServer(0, {
      isGateway: (token) => check(token, Date.now()),
      parts: () => this.#view.read(),
      faults: this.#options.lab ? this.#faults : undefined,
    });
    this.#control = control;
    const address = control.address();
    if (address === null || typeof address === 'string') throw new Error('it has no port');
    return address.port;
  }

  #onPostgres(event: PartEvent): void {
    this.#keepJournal('postgres', event);
    if (event.type === 'ready') for (const part of this.#parts.values()) part.hurry();
    this.#options.onPart?.('postgres', event);
  }

  #onProcess(name: ProcessName, event: PartEvent): void {
    this.#keepJournal(name, event);
    if (event.type === 'started') this.#children.add(name, event.pid);
    if (event.type === 'died') this.#children.delete(name);
    this.#options.onPart?.(name, event);
  }

  #keepJournal(part: string, event: PartEvent): void {
    if (this.#stopping !== undefined) return;
    keepJournal(this.#logs.get('launcher') ?? this.#openLog('launcher'), part, event);
  }

  #add(part: Part): void {
    if (this.#stopping !== undefined) throw new LaunchError('The start was given up.');
    this.#parts.set(part.name, part);
    part.start();
  }

  async #allUp(names: readonly string[]): Promise<void> {
    const { signal } = this.#options;
    const parts = names.map((name) => this.#parts.get(name)).filter((part) => part !== undefined);
    const abort = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    signal?.throwIfAborted();
    const ups = Promise.all(parts.map((part) => part.whenUp()));
    try {
      await Promise.race([ups, abort]);
    } catch (error) {
      ups.catch(() => undefined);
      if (signal?.aborted) throw error;
      await sleep(furtherFailuresMs);
      const failed = parts.filter((part) => part.failure !== undefined);
      throw new LaunchError(failed.map((part) => this.#lastWords(part)).join('\n'));
    }
  }

  #lastWords(part: Part): string {
    const log = this.#logs.get(part.name);
    const lines = (log?.tail() ?? []).map((line) => `  ${line}`).join('\n');
    return `${part.name} does not start (${part.failure}). The end of ${log?.path}:\n${lines}`;
  }

  #openLog(name: string): RotatedLog {
    const log = new RotatedLog(join(this.#folder.logs, `${name}.log`));
    this.#logs.set(name, log);
    return log;
  }

  #port(name: string): number {
    return this.#ports.get(name) ?? 0;
  }

  #serviceUrl(name: string): string {
    const { host = '127.0.0.1' } = this.#options;
    const address = name === 'gateway' ? reachable(host) : '127.0.0.1';
    return `http://${address}:${this.#port(name)}`;
  }

  #needSecrets(): Secrets {
    if (this.#secrets === undefined) throw new LaunchError('The platform is not started.');
    return this.#secrets;
  }

  #say(line: string): void {
    this.#options.onProgress?.(line);
  }
}

function endNow(part: Part): void {
  part.signal(part.name === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
  part.signal('SIGCONT');
}

/** An address that a client can use for a server that listens on all of them. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function otlpUrl({ port }: OtlpPort): string {
  return `http://127.0.0.1:${port}`;
}

function monitorSetting({ settings, env }: PlatformOptions, name: string): string | undefined {
  return env?.monitor?.[name] ?? settings?.[name];
}

function wantedOtlpPort(options: PlatformOptions): number {
  return Number(monitorSetting(options, otlpPortSetting) ?? otlpPortDefault);
}

async function choosePorts(options: PlatformOptions): Promise<Ports> {
  const { port, host = '127.0.0.1' } = options;
  const ports = new Map<string, number>();
  if (port !== 0) {
    await checkGatewayPort(port, host);
    ports.set('gateway', port);
  }
  const monitorPort = Number(monitorSetting(options, monitorPortSetting) ?? 0);
  if (monitorPort !== 0) {
    if (monitorPort === port) {
      throw new LaunchError(`The gateway and ${monitorPortSetting} cannot both have port ${port}.`);
    }
    await checkSettingsPort(monitorPort, monitorPortSetting);
    ports.set('monitor', monitorPort);
  }
  for (const name of partNames) {
    if (ports.has(name)) continue;
    const where = name === 'gateway' ? host : '127.0.0.1';
    ports.set(name, await findFreePort(new Set(ports.values()), where));
  }
  return ports;
}
