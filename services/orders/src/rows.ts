// An order as a row, and back.

import type { CancelReason, OrderStatus, PricedLine } from '@rushlight/contracts';
import type { HistoryStep, StoredOrder } from './store.ts';

export type OrderRow = {
  order_id: string;
  student_id: string;
  fingerprint: string;
  lines: string;
  total_cents: number;
  pickup_number: number;
  status: OrderStatus;
  reason: string | null;
  history: string;
  answered: OrderStatus | null;
  cancel_by: CancelReason | null;
};

export function orderOf(row: OrderRow): StoredOrder {
  return {
    orderId: row.order_id,
    studentId: row.student_id,
    fingerprint: row.fingerprint,
    lines: JSON.parse(row.lines) as PricedLine[],
    totalCents: row.total_cents,
    pickupNumber: row.pickup_number,
    status: row.status,
    reason: row.reason ?? undefined,
    history: row.history.split(' ').map(historyStep),
    answered: row.answered ?? undefined,
    cancelBy: row.cancel_by ?? undefined,
  };
}

function historyStep(text: string): HistoryStep {
  const colon = text.indexOf(':');
  return { status: text.slice(0, colon) as OrderStatus, atMs: Number(text.slice(colon + 1)) };
}
