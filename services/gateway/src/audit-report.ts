// The audit: what the services' books say together, now. Judged by pure rules (audit.ts).

import type { Environment } from '@rushlight/chassis';
import type { AuditedHold, AuditReport } from '@rushlight/contracts';
import { judgeItems, judgeOrder, type Violation } from './audit.ts';
import { type AuditClients, type Books, openBooks, walk } from './audit-books.ts';

export type AuditOptions = {
  env: Pick<Environment, 'nowMs' | 'monotonicMs' | 'sleep'>;
  clients: AuditClients;
};

/** Shorter than any request may take. */
const auditMsMax = 13_000;
const disputesMax = 10_000;
const violationsMax = 1_000;
const readingsMax = 3;
const pauseMs = 200;

/**
 * An audit of everything, now. Audits that are asked for at the same time are one.
 *
 * @throws ApiError('unavailable') when a service does not answer, or there is more to read than one
 *   request has time for
 */
export function createAudit(options: AuditOptions): () => Promise<AuditReport> {
  let running: Promise<AuditReport> | undefined;
  return () => {
    running ??= audit(options).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function audit(options: AuditOptions): Promise<AuditReport> {
  const { env } = options;
  const endsMs = env.monotonicMs() + auditMsMax;
  const disputes = new Map<string, Violation[]>();
  const held = new Map<string, number>();
  let inFlight = 0;
  const books = openBooks(options.clients, endsMs, env);
  await walk(books, undefined, (dossier) => {
    const verdict = judgeOrder(dossier, env.nowMs());
    if (verdict.inFlight) inFlight++;
    addHeld(held, dossier.hold);
    const isDisputed = verdict.violations.length > 0 && disputes.size < disputesMax;
    if (isDisputed) disputes.set(dossier.orderId, verdict.violations);
    return true;
  });
  // Once more without the pages, to see whether the stock stood still while they were read.
  await books.holds({ limit: '1' });
  const { byStatus, items } = books.sums;
  for (let reading = 1; reading < readingsMax && isDisputed(books, disputes); reading++) {
    await env.sleep(pauseMs);
    await readAgain(options, endsMs, books, disputes);
  }
  const violations = [
    ...judgeItems(items, books.wasQuiet() ? held : undefined),
    ...books.told.values(),
    ...[...disputes.values()].flat(),
  ].slice(0, violationsMax);
  const money = books.sums.money;
  const ok = violations.length === 0 && money.balanced;
  return { ok, orders: { byStatus, inFlight }, items, money, violations };
}

function isDisputed(books: Books, disputes: ReadonlyMap<string, unknown>): boolean {
  return disputes.size > 0 || books.told.size > 0 || !books.sums.money.balanced;
}

/**
 * Reads what is disputed once more. Only what is still so stays: services are read at different
 * instants, and a moving order looks wrong from one of them.
 */
async function readAgain(
  { clients, env }: AuditOptions,
  endsMs: number,
  books: Books,
  disputes: Map<string, Violation[]>,
): Promise<void> {
  const again = openBooks(clients, endsMs, env);
  const ids = [...disputes.keys()].sort();
  const last = ids.at(-1) ?? '';
  await walk(again, ids[0] && idBefore(ids[0]), (dossier) => {
    if (dossier.orderId > last) return false;
    if (!disputes.has(dossier.orderId)) return true;
    const { violations } = judgeOrder(dossier, env.nowMs());
    if (violations.length > 0) disputes.set(dossier.orderId, violations);
    else disputes.delete(dossier.orderId);
    return true;
  });
  await again.readSums();
  books.sums.money = again.sums.money;
  for (const key of books.told.keys()) if (!again.told.has(key)) books.told.delete(key);
}

function addHeld(held: Map<string, number>, hold: AuditedHold | undefined): void {
  if (hold?.status !== 'reserved') return;
  for (const { itemId, quantity } of hold.lines) {
    held.set(itemId, (held.get(itemId) ?? 0) + quantity);
  }
}

/** The greatest id below this one: pages begin after an id. */
function idBefore(orderId: string): string | undefined {
  const number = BigInt(`0x${orderId.replaceAll('-', '')}`);
  if (number === 0n) return undefined;
  const hex = (number - 1n).toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
