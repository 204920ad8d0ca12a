// What runs: Postgres, the services, the monitor and the control server, from start to stop.
//
// W1. Nobody waits for the monitor: a start is over without it, and never fails without it.
// W2. It is started first and ended last, so that it hears all the others; and while the engines start
//     nobody else has much to do.
// W3. A restart of everything is made of restarts of one process: the others serve meanwhile.

import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EngineName,
  type ProcessName,
  type ServiceName,
  serviceNames,
} from '@rushlight/contracts';
import { databaseNames, ensureDatabases, makeServiceKeys } from '@rushlight/setup';
import { Addresses, otlpPortSetting, wantedOtlpPort } from './addresses.ts';
import { ChildrenFile, endOrphans } from './children.ts';
import { FaultBook } from './control/fault-book.ts';
import { startControlServer } from './control/server.ts';
import { tokenCheck } from './control/service-token.ts';
import { checkFormat, type DataFolder, forgetData, migrateFormat } from './data-folder.ts';
import { findDebianPostgres } from './engines/debian-postgres.ts';
import { type Engines, endOrphanedEngines, makeEngines, ownEngines } from './engines/engines.ts';
import { readIfThere } from './files.ts';
import { keepJournal } from './journal.ts';
import { LaunchError } from './launch-error.ts';
import { RotatedLog } from './logs.ts';
import { type OtlpPort, takeOtlpPort } from './otlp-port.ts';
import type { Part, PartEvent } from './part.ts';
import { PartsView } from './parts-view.ts';
import type { Platform, PlatformOptions } from './platform-types.ts';
import { findFreePort } from './ports.ts';
import { ensureCluster, forgetCluster } from './postgres/cluster.ts';
import { databaseUrl, superuserUrl } from './postgres/databases.ts';
import { choosePlace, type Place } from './postgres/place.ts';
import { endOrphanedPostgres, postgresPart } from './postgres/server.ts';
import { signal } from './processes.ts';
import { type Replica, replicasOf, type SharedSocket, shareSocket, urlsOf } from './replicas.ts';
import { type Scale, smallScale } from './scale.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import {
  environmentOf,
  type Surroundings,
  settingsOf,
  settingsOfReplica,
} from './service-environment.ts';
import { compileCacheIn, inheritedFd, serviceCommand, servicePart } from './service-part.ts';
import { removeTargets, writeTargets } from './targets-file.ts';

type Shared = Omit<Surroundings, 'host' | 'port' | 'listenFd' | 'folder'>;

/** How long other parts may take to fail as well, so that all mistakes are told together. */
const furtherFailuresMs = 500;

export class Running {
  readonly #folder: DataFolder;
  readonly #options: PlatformOptions;
  readonly #scale: Scale;
  readonly #replicas: readonly Replica[];
  readonly #children: ChildrenFile;
  readonly #parts = new Map<string, Part>();
  readonly #logs = new Map<string, RotatedLog>();
  readonly #faults = new FaultBook(this.#parts);
  readonly #view = new PartsView(this.#parts);
  readonly #addresses: Addresses;
  #door: SharedSocket | undefined;
  #postgresUrl = '';
  #busUrl: string | undefined;
  #otlp: OtlpPort | undefined;
  #secrets: Secrets | undefined;
  #control: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(folder: DataFolder, options: PlatformOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#scale = { ...smallScale, ...options.scale };
    this.#replicas = replicasOf(this.#scale, options.monitor ?? true);
    this.#addresses = new Addresses(options, this.#replicas);
    this.#children = new ChildrenFile(folder.children);
  }

  /** Resolves when every part is ready. What a failed start leaves behind, `stop` ends. */
  async start(): Promise<void> {
    const { signal, monitor = true } = this.#options;
    const place = await this.#clearTheGround();
    await this.#addresses.choose();
    const given = new Set(this.#addresses.taken);
    if (monitor) this.#otlp = await takeOtlpPort(wantedOtlpPort(this.#options), given);
    signal?.throwIfAborted();
    process.once('exit', this.#endAtExit);
    const secrets = openSecrets(this.#folder.secrets, [
      ...databaseNames,
      ...ownEngines(this.#scale),
    ]);
    this.#secrets = secrets;
    const engines = await this.#makeEngines(secrets, given);
    this.#busUrl = engines.busUrl;
    const { postgres } = this.#scale;
    this.#postgresUrl =
      typeof postgres === 'object'
        ? postgres.url
        : superuserUrl(this.#addresses.port('postgres'), secrets);
    const shared = await this.#surroundings(secrets, engines);
    if (this.#countOf('gateway') > 1) {
      this.#door = shareSocket(this.#options.host ?? '127.0.0.1', this.#addresses.port('gateway'));
    }
    for (const replica of this.#replicas) {
      if (replica.service === 'monitor') this.#addProcess(replica, shared); // W2
    }
    for (const { part } of engines.own.values()) this.#add(part);
    if (place) await this.#startPostgres(place, secrets);
    await this.#allUp([...engines.own.keys()]);
    await this.#makeDatabases(secrets);
    const services = this.#replicas.filter(({ service }) => service !== 'monitor');
    for (const replica of services) this.#addProcess(replica, shared);
    writeTargets(this.#folder.targets, this.#replicas, (part) => this.#addresses.partUrl(part));
    await this.#allUp(services.map(({ part }) => part));
  }

  view(): Omit<Platform, 'stop' | typeof Symbol.asyncDispose> {
    const partOf = (name: string): Part => {
      const part = this.#parts.get(name);
      if (part === undefined) throw new LaunchError(`There is no part ${name}.`);
      return part;
    };
    return {
      url: this.#addresses.serviceUrl('gateway'),
      postgresPort: this.#addresses.port('postgres'),
      busUrl: this.#busUrl,
      logs: this.#folder.logs,
      otlp: this.#otlp && { url: otlpUrl(this.#otlp), warning: this.#otlp.warning },
      takeFirstAdminPassword: () => {
        const path = join(this.#folder.service('identity'), 'first-admin-password');
        const password = readIfThere(path)?.trim();
        rmSync(path, { force: true });
        return password === '' ? undefined : password;
      },
      parts: () => this.#view.read(),
      serviceUrl: (name) => this.#addresses.serviceUrl(name),
      databaseUrl: (name) => databaseUrl(this.#postgresUrl, this.#needSecrets(), name),
      kill: (name) => partOf(name).signal('SIGKILL'),
      startFault: (fault) => void this.#faults.start(fault),
      endFaults: () => this.#faults.endAll(),
      restart: (services) => this.#restart(services ?? serviceNames),
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
    await this.#stopParts(this.#partsOf(['gateway']));
    this.#control?.close();
    this.#control?.closeAllConnections();
    await this.#stopParts(this.#partsOf(serviceNames));
    await this.#stopParts([...this.#parts.keys()]);
    this.#door?.close();
    this.#children.remove();
    removeTargets(this.#folder.targets);
    this.#otlp?.release();
    for (const log of this.#logs.values()) log.close();
    process.off('exit', this.#endAtExit);
  }

  async #stopParts(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#parts.get(name)?.stop()));
  }

  /** W3. */
  async #restart(services: readonly ServiceName[]): Promise<void> {
    for (const name of this.#partsOf(services)) {
      if (this.#stopping !== undefined) return;
      await this.#parts.get(name)?.renew();
    }
  }

  /** The parts of these services, in their order. */
  #partsOf(services: readonly ServiceName[]): string[] {
    return services.flatMap((service) =>
      this.#replicas.filter((replica) => replica.service === service).map(({ part }) => part),
    );
  }

  /** The last resort, when this process ends without `stop`: nobody is asked to be quick. */
  readonly #endAtExit = (): void => {
    for (const part of this.#parts.values()) endNow(part);
    this.#otlp?.release();
  };

  /** Checks the folder, ends what an earlier launcher left, and forgets the data if asked to. */
  async #clearTheGround(): Promise<Place | undefined> {
    const { fresh = false } = this.#options;
    checkFormat(this.#folder, fresh);
    const orphans = await endOrphans(this.#folder.children);
    orphans.push(...(await endOrphanedEngines(this.#folder)));
    const place = this.#placeOfPostgres();
    if (place && (await endOrphanedPostgres(place))) orphans.push('postgres');
    if (orphans.length > 0) this.#say(`ended what an earlier start left: ${orphans.join(', ')}`);
    if (fresh) {
      if (place) forgetCluster(place);
      forgetData(this.#folder);
    }
    migrateFormat(this.#folder);
    return fresh ? this.#placeOfPostgres() : place;
  }

  /** Undefined where somebody else runs it. */
  #placeOfPostgres(): Place | undefined {
    const { postgres } = this.#scale;
    if (typeof postgres === 'object') return undefined;
    const native = postgres === 'system' ? findDebianPostgres() : undefined;
    return choosePlace(this.#folder.postgres, native);
  }

  async #makeEngines(secrets: Secrets, taken: Set<number>): Promise<Engines> {
    const freePort = async (): Promise<number> => {
      const port = await findFreePort(taken, '127.0.0.1');
      taken.add(port);
      return port;
    };
    return await makeEngines({
      scale: this.#scale,
      ground: (name) => ({ folder: this.#folder, freePort, secrets, log: this.#openLog(name) }),
      onEvent: (name, event) => this.#onEngine(name, event),
    });
  }

  async #startPostgres(place: Place, secrets: Secrets): Promise<void> {
    if (await ensureCluster(place, secrets)) this.#say('made the database');
    this.#options.signal?.throwIfAborted();
    const port = this.#addresses.port('postgres');
    const log = this.#openLog('postgres');
    const onEvent = (event: PartEvent): void => this.#onEngine('postgres', event);
    this.#add(postgresPart({ place, port, secrets, log, onEvent }));
    await this.#allUp(['postgres']);
  }

  async #makeDatabases(secrets: Secrets): Promise<void> {
    await ensureDatabases(this.#postgresUrl, secrets.roles).catch((error: Error) => {
      if (typeof this.#scale.postgres !== 'object') throw error;
      const { host } = new URL(this.#postgresUrl);
      throw new LaunchError(
        `The Postgres at ${host} (RUSHLIGHT_POSTGRES_URL) cannot be used: ${error.message}. ` +
          'Its role must be allowed to make roles and databases.',
      );
    });
  }

  async #surroundings(secrets: Secrets, { busUrl, cacheUrl }: Engines): Promise<Shared> {
    const keys = makeServiceKeys([...new Set(this.#replicas.map(({ service }) => service))]);
    const gatewayKey = keys.publicKeys.find(({ kid }) => kid === 'gateway');
    return {
      ...{ postgresUrl: this.#postgresUrl, busUrl, cacheUrl },
      databaseUrl: this.#options.databaseUrl,
      controlPort: await this.#startControl(gatewayKey),
      urls: urlsOf(this.#replicas, (part) => this.#addresses.partUrl(part)),
      ...{ keys, secrets, lab: this.#options.lab },
      otlp: this.#options.otlp ?? (this.#otlp && { endpoint: otlpUrl(this.#otlp) }),
    };
  }

  #addProcess(replica: Replica, shared: Shared): void {
    const { command = serviceCommand, settings, env } = this.#options;
    const { service: name, nth, part } = replica;
    // The first has the folder that a single one has: its files are found again.
    const folder = this.#folder.service(nth === 1 ? name : part);
    const door = name === 'gateway' ? this.#door : undefined;
    const around: Surroundings = {
      ...shared,
      host: this.#addresses.hostOf(part),
      port: this.#addresses.port(part),
      listenFd: door && inheritedFd,
      folder,
    };
    const made = servicePart({
      ...{ name, part, command, folder, compileCache: compileCacheIn(this.#folder.cache) },
      sharedFd: door?.fd,
      environment: environmentOf(replica, around),
      settings: {
        ...(name === 'monitor' ? { RUSHLIGHT_MONITOR_LOG_FOLDER: this.#folder.logs } : {}),
        ...settingsOfReplica(name, this.#countOf(name)),
        ...settingsOf(name, settings),
        ...env?.[name],
        ...(name === 'monitor' ? { [otlpPortSetting]: String(this.#otlp?.port) } : {}),
      },
      log: this.#openLog(part),
      onEvent: (event) => this.#onProcess(part, event),
    });
    this.#add(made);
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

  #onEngine(name: EngineName, event: PartEvent): void {
    this.#keepJournal(name, event);
    if (event.type === 'ready') for (const part of this.#parts.values()) part.hurry();
    this.#options.onPart?.(name, event);
  }

  #onProcess(part: string, event: PartEvent): void {
    this.#keepJournal(part, event);
    if (event.type === 'started') this.#children.add(part, event.pid);
    if (event.type === 'died' || event.type === 'ended') this.#children.delete(part);
    this.#options.onPart?.(part, event);
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

  #countOf(service: ProcessName): number {
    return this.#replicas.filter((replica) => replica.service === service).length;
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
  const { name, pid } = part;
  part.signal(name === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
  if (name === 'rabbitmq' && pid !== null) signal(-pid, 'SIGKILL'); // With its name server.
  part.signal('SIGCONT');
}

function otlpUrl({ port }: OtlpPort): string {
  return `http://127.0.0.1:${port}`;
}
