// Where each part listens: a port for each, chosen before anything starts, and kept as long as we run.

import { LaunchError } from './launch-error.ts';
import { otlpPortDefault } from './otlp-port.ts';
import type { PlatformOptions } from './platform-types.ts';
import { checkGatewayPort, checkSettingsPort, findFreePort } from './ports.ts';
import type { Replica } from './replicas.ts';

export const otlpPortSetting = 'RUSHLIGHT_MONITOR_OTLP_PORT';
const monitorPortSetting = 'RUSHLIGHT_MONITOR_PORT';

export class Addresses {
  readonly #options: PlatformOptions;
  readonly #replicas: readonly Replica[];
  #ports: ReadonlyMap<string, number> = new Map();

  constructor(options: PlatformOptions, replicas: readonly Replica[]) {
    this.#options = options;
    this.#replicas = replicas;
  }

  /** @throws LaunchError when a port that was asked for is taken */
  async choose(): Promise<void> {
    this.#ports = await choosePorts(this.#options, this.#replicas);
  }

  get taken(): Iterable<number> {
    return this.#ports.values();
  }

  /** 0 before they were chosen. */
  port(part: string): number {
    return this.#ports.get(part) ?? 0;
  }

  /** A single gateway is the public one; of several each also has an address of its own. */
  hostOf(part: string): string {
    const { host = '127.0.0.1' } = this.#options;
    return part === 'gateway' ? host : '127.0.0.1';
  }

  partUrl(part: string): string {
    return `http://${reachable(this.hostOf(part))}:${this.port(part)}`;
  }

  /** As a client reaches it: the public address of the gateway, or the first of the replicas. */
  serviceUrl(name: string): string {
    const first = this.#replicas.find(({ service }) => service === name);
    return this.partUrl(name === 'gateway' ? name : (first?.part ?? name));
  }
}

/** An address that a client can use for a server that listens on all of them. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** What the monitor is told by this variable. */
function monitorSetting({ settings, env }: PlatformOptions, name: string): string | undefined {
  return env?.monitor?.[name] ?? settings?.[name];
}

async function choosePorts(
  options: PlatformOptions,
  replicas: readonly Replica[],
): Promise<Map<string, number>> {
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
  for (const name of ['gateway', ...replicas.map(({ part }) => part), 'postgres']) {
    if (ports.has(name)) continue;
    const where = name === 'gateway' ? host : '127.0.0.1';
    ports.set(name, await findFreePort(new Set(ports.values()), where));
  }
  return ports;
}

/** The port on which the monitor is to take OTLP in; 0 for any. */
export function wantedOtlpPort(options: PlatformOptions): number {
  return Number(monitorSetting(options, otlpPortSetting) ?? otlpPortDefault);
}
