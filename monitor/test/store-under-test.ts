// Telemetry to put into a store, and a store to put it into.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, type Log, realEnvironment, silentLog } from '@rushlight/chassis';
import type { LogRecord, Sample, Span } from '../src/model.ts';
import type { TelemetryStore } from '../src/store/face.ts';
import { openTelemetryStore, type TelemetryStoreOptions } from '../src/store/telemetry-store.ts';

/** A Tuesday noon, in microseconds. */
export const noonUs = 1_790_078_400_000_000;
export const noonMs = noonUs / 1_000;

export const atNoon: Environment = { ...realEnvironment, nowMs: () => noonMs };

export const traceOf = (number: number): string => number.toString(16).padStart(32, '0');
export const spanIdOf = (number: number): string => number.toString(16).padStart(16, '0');

export function span(given: Partial<Span> = {}): Span {
  return {
    traceId: traceOf(1),
    spanId: spanIdOf(1),
    service: 'orders',
    instance: 'orders-1',
    name: 'POST /orders',
    kind: 'server',
    startUs: noonUs,
    durationUs: 1_500,
    status: 'unset',
    attributes: {},
    events: [],
    links: [],
    ...given,
  };
}

export function logRecord(given: Partial<LogRecord> = {}): LogRecord {
  return {
    atUs: noonUs,
    service: 'orders',
    instance: 'orders-1',
    level: 'info',
    message: 'order placed',
    line: 'order placed',
    attributes: {},
    ...given,
  };
}

export function sample(given: Partial<Sample> = {}): Sample {
  return { name: 'up', labels: {}, atMs: noonMs, value: 1, ...given };
}

export type Told = { message: string; fields: Record<string, unknown> };

/** A log that remembers. */
export function rememberingLog(): Log & { told: Told[] } {
  const told: Told[] = [];
  const tell = (fields: Record<string, unknown>, message: string): void => {
    told.push({ message, fields });
  };
  return { told, debug: tell, info: tell, warn: tell, error: tell };
}

export type TemporaryFolder = Disposable & { path: string };

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'rushlight-telemetry-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function openStore(
  folder: string,
  options: Partial<TelemetryStoreOptions> = {},
): Promise<TelemetryStore> {
  return openTelemetryStore({ folder, env: atNoon, log: silentLog, flushEveryMs: 20, ...options });
}
