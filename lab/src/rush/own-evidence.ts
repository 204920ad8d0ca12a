// Of what was heard and what the books say, what is about this rush. A platform may have seen others
// before, and their orders go on: a meal that nobody fetches is taken from its shelf minutes later.

import type { Entry, Evidence, MoneyMove } from '@rushlight/auditor';

export type Judged = { history: readonly Entry[]; evidence: Evidence };

/**
 * Leaves out the orders of other items, and what was done and told for them. What was done for an
 * order that does not exist stays: that is for the auditor to see.
 */
export function ofItems({ history, evidence }: Judged, itemIds: ReadonlySet<string>): Judged {
  const isOurs = (itemId: string): boolean => itemIds.has(itemId);
  const earlier = new Set<string>();
  const orders = evidence.orders.filter(({ orderId, lines }) => {
    const ours = lines.some(({ itemId }) => isOurs(itemId));
    if (!ours) earlier.add(orderId);
    return ours;
  });
  const stays = ({ orderId }: { orderId: string }): boolean => !earlier.has(orderId);
  const spent = new Map<string, number>();
  for (const move of evidence.provider ?? []) {
    if (!stays(move)) spent.set(move.student, (spent.get(move.student) ?? 0) + spentBy(move));
  }
  const own: Evidence = {
    ...evidence,
    orders,
    wallets: evidence.wallets?.map(({ student, openingCents }) => ({
      student,
      openingCents: openingCents - (spent.get(student) ?? 0),
    })),
    items: evidence.items.filter(({ itemId }) => isOurs(itemId)),
    holds: evidence.holds?.filter(stays),
    provider: evidence.provider?.filter(stays),
    mirror: evidence.mirror?.filter(stays),
    stockMoves: evidence.stockMoves?.filter(({ itemId }) => isOurs(itemId)),
    tickets: evidence.tickets?.filter(stays),
    notices: evidence.notices?.filter(stays),
  };
  return {
    history: history.filter((entry) => entry.type !== 'heard' || stays(entry)),
    evidence: own,
  };
}

function spentBy({ kind, amountCents }: MoneyMove): number {
  return kind === 'capture' ? amountCents : -amountCents;
}
