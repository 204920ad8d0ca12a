// What a caller gives to start the platform, and what it gets.

import type { FaultName, FaultTarget, ProcessName, ServiceName } from '@rushlight/contracts';
import type { PartEvent } from './part.ts';
import type { DatabaseWay } from './postgres/databases.ts';
import type { Scale } from './scale.ts';
import type { OtlpTarget } from './service-environment.ts';
import type { ServiceCommand } from './service-part.ts';

export type PlatformOptions = {
  /** The data folder. One platform at a time. */
  data: string;
  /** The gateway's port; 0 for any free one. */
  port: number;
  host?: string;
  lab: boolean;
  /** Forget what the data folder holds. */
  fresh?: boolean;
  /** How far it is spread; one process of each and the embedded Postgres unless given. */
  scale?: Partial<Scale> | undefined;
  /** Whether it has a monitor of its own. It has unless told otherwise. */
  monitor?: boolean;
  /** Where services send telemetry to; the monitor of this platform unless given. */
  otlp?: OtlpTarget | undefined;
  /** Settings for all services, by their full names. */
  settings?: Readonly<Record<string, string>>;
  /** Settings for one service. */
  env?: Partial<Record<ProcessName, Readonly<Record<string, string>>>>;
  /** How to run a service, where it is not by its main.ts. */
  command?: ServiceCommand;
  /** The way a service takes to a database, where it is not the straight one: through a proxy. */
  databaseUrl?: DatabaseWay;
  /** Aborted to give up a start that is not through. */
  signal?: AbortSignal;
  onProgress?(line: string): void;
  onPart?(name: string, event: PartEvent): void;
};

export type PartView = {
  name: string;
  running: boolean;
  /** It has said that it works. */
  ready: boolean;
  sinceMs: number;
  pid: number | null;
  memoryMb: number | null;
  restarts: number;
};

export type Platform = AsyncDisposable & {
  /** The gateway, as a client reaches it. */
  readonly url: string;
  /** Of the Postgres that it runs; 0 where another one is used. */
  readonly postgresPort: number;
  /** Of the broker; undefined where the bus is on Postgres. */
  readonly busUrl: string | undefined;
  readonly logs: string;
  /** Where its monitor takes OTLP/HTTP in; a warning when that is not the port that was wanted. */
  readonly otlp: { readonly url: string; readonly warning: string | undefined } | undefined;
  /** Made by identity on the first start without the lab. Read once; gone afterwards. */
  takeFirstAdminPassword(): string | undefined;
  /** Every process, by name; memory in megabytes, shared pages counted once. */
  parts(): PartView[];
  /** The address of a part's own port; of a service with replicas, that of its first. */
  serviceUrl(name: string): string;
  /** A database by name (those of services, `provider`, `bus`), as its own role. */
  databaseUrl(name: string): string;
  /** SIGKILL, and the launcher starts it again. */
  kill(name: string): void;
  /** Switches a fault on, as the lab does, also while the gateway is down. @throws ApiError */
  startFault(fault: { fault: FaultName; target: FaultTarget; durationS: number }): void;
  /** Heals what faults have broken. */
  endFaults(): void;
  /**
   * Ends every process of these services, all unless given, and starts it again: one after another,
   * each only when the one before is ready.
   *
   * @throws Error when one does not start; those that follow are left as they are
   */
  restart(services?: readonly ServiceName[]): Promise<void>;
  /** Resolves when this part is ready. */
  whenUp(name: string): Promise<void>;
  /** The last lines of a part's log. */
  logTail(name: string): readonly string[];
  /** Stops all of it, in order; a second call with `atOnce` does not wait for anybody. */
  stop(options?: { atOnce?: boolean }): Promise<void>;
};
