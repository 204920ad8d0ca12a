// What is always true, however a run went. Each is one pure function of the facts.

import type { Evidence } from './evidence.ts';
import { nothingFromNowhere, oneTicket, toldOnce } from './invariants/effects.ts';
import { oneOrder, oneOrderId, sameReplay } from './invariants/keys.ts';
import { mirrorIsTrue, paidIffSold, sumsToZero } from './invariants/money.ts';
import { acknowledgedExists, monotonicReads, oneEnd } from './invariants/orders.ts';
import { noNeedlessRefusal } from './invariants/refusals.ts';
import type { Judge } from './invariants/report.ts';
import { booksAddUp, neverNegative } from './invariants/stock.ts';
import type { InvariantId } from './verdict.ts';

export type InvariantSpec = {
  readonly sentence: string;
  /** Evidence without which there is no verdict at all. */
  readonly needs: readonly (keyof Evidence)[];
  /** Evidence without which a part is not checked. */
  readonly uses: readonly (keyof Evidence)[];
  /** How much of it can only be judged after a drain. */
  readonly atTheEnd: 'nothing' | 'a part' | 'all';
  readonly judge: Judge;
};

export const invariants = {
  I1: {
    sentence: 'One key has one order id.',
    needs: [],
    uses: [],
    atTheEnd: 'nothing',
    judge: oneOrderId,
  },
  I2: {
    sentence: 'Every acknowledged order exists, as it was asked for.',
    needs: [],
    uses: [],
    atTheEnd: 'nothing',
    judge: acknowledgedExists,
  },
  I3: {
    sentence: 'An order has exactly one end state, and its history never goes backwards.',
    needs: [],
    uses: [],
    atTheEnd: 'a part',
    judge: oneEnd,
  },
  I4: {
    sentence:
      'A student and a key have at most one order, also where the client knows nothing of it.',
    needs: [],
    uses: [],
    atTheEnd: 'nothing',
    judge: oneOrder,
  },
  I5: {
    sentence: 'Stock is never negative, whoever looks.',
    needs: [],
    uses: ['stockMoves'],
    atTheEnd: 'nothing',
    judge: neverNegative,
  },
  I6: {
    sentence: 'Sold + left + held = initial + added, per item; nothing is held at the end.',
    needs: [],
    uses: ['holds', 'stockMoves'],
    atTheEnd: 'a part',
    judge: booksAddUp,
  },
  I7: {
    sentence:
      'By the provider’s ledger, what is sold was captured once and whole; the rest keeps nothing.',
    needs: ['provider'],
    uses: [],
    atTheEnd: 'a part',
    judge: paidIffSold,
  },
  I8: {
    sentence: 'The mirror of payments equals the provider’s ledger.',
    needs: ['provider', 'mirror'],
    uses: [],
    atTheEnd: 'all',
    judge: mirrorIsTrue,
  },
  I9: {
    sentence: 'There is one ticket that is not void for what is sold, and none for the rest.',
    needs: ['tickets'],
    uses: [],
    atTheEnd: 'a part',
    judge: oneTicket,
  },
  I10: {
    sentence:
      'Every end state stands in the event stream, and a client hears each step exactly once.',
    needs: [],
    uses: ['notices'],
    atTheEnd: 'a part',
    judge: toldOnce,
  },
  I11: {
    sentence: 'There is no effect without a cause.',
    needs: [],
    uses: ['provider', 'holds', 'tickets', 'notices'],
    atTheEnd: 'a part',
    judge: nothingFromNowhere,
  },
  I12: {
    sentence:
      'Nobody is refused needlessly: every refusal has its true reason, and only people cancel.',
    needs: [],
    uses: ['stockMoves'],
    atTheEnd: 'nothing',
    judge: noNeedlessRefusal,
  },
  I13: {
    sentence: 'What a client reads only moves on, and an acknowledged order is found.',
    needs: [],
    uses: [],
    atTheEnd: 'a part',
    judge: monotonicReads,
  },
  I14: {
    sentence: 'The double-entry sum is 0 at every look.',
    needs: ['entrySums'],
    uses: [],
    atTheEnd: 'nothing',
    judge: sumsToZero,
  },
  I15: {
    sentence: 'The same key is answered with the same status and bytes, for ever.',
    needs: [],
    uses: ['replays'],
    atTheEnd: 'nothing',
    judge: sameReplay,
  },
} as const satisfies Record<InvariantId, InvariantSpec>;
