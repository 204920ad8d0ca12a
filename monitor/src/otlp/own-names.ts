// What is not taken in from outside as if it were ours: whoever reaches the port of OTLP needs no token,
// and nothing that it says may set off an alert of the shop, or quiet one.
//
// N1. The names of our parts are theirs. Metrics and logs under one are refused: ours are scraped, and
//     stand in files. Traces are not, for that is how ours come.
// N2. Metrics that rules read, or write, under whatever name of a service: those that we expose, what a
//     scrape says of its target, alerts, and recorded series (every name with ":").

import { metrics, partNames } from '@rushlight/contracts';

const parts: ReadonlySet<string> = new Set(partNames);

/** N1, whatever the case. */
export function isOwnService(service: string): boolean {
  return parts.has(service.trim().toLowerCase());
}

/** From the client library, and read by rules; a test compares them. */
const runtimeNames: ReadonlySet<string> = new Set([
  'nodejs_eventloop_lag_p99_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
]);
const ofMonitor = /^(up$|scrape_|ALERTS($|_))/;
const part = /_(bucket|count|sum)$/;

/** N2. @param name as it would be kept */
export function isOwnMetric(name: string): boolean {
  if (name.includes(':') || ofMonitor.test(name) || runtimeNames.has(name)) return true;
  return Object.hasOwn(metrics, name) || Object.hasOwn(metrics, name.replace(part, ''));
}
