// What a check is told of the run, and what it says.

/** Sentences and functions: `invariants` in invariants.ts. */
export type InvariantId =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15';

export type CheckOptions = {
  /**
   * Everything is healed, every order that can end has ended, and outboxes and queues are empty.
   * Otherwise what is still under way is no violation, and what needs the end is "not checked".
   */
  drained: boolean;
  /** How far the clients' clock may be from the services'; 10 ms. */
  clientGraceMs?: number;
  /** Some clock was shifted: then no instant of one machine is compared with one of another. */
  clocksShifted?: boolean;
  /** "Sold out" may be true as of this long before the invocation; 1 s. */
  shortBeforeMs?: number;
  /** How long an order may stay unpaid; 60 s. */
  deadlineMs?: number;
  /** Clients that listened from before the first order until after the drain, resuming without a gap. */
  listeners?: readonly Listener[];
};

/** `student`: hears of hers only; otherwise of all. */
export type Listener = { proc: string; student?: string };

/** The bad counts of the certificate: all 0 exactly when nothing is violated. */
export type BadCounts = {
  /** Acknowledged and not found, by orders or by the kitchen. */
  lost: number;
  /** Found, and in no end state after the drain, or still holding stock. */
  unsettled: number;
  duplicated: number;
  oversold: number;
  chargedTwice: number;
  chargedUnsold: number;
  refusedNeedlessly: number;
  /** Every other violation. */
  unexpected: number;
};

export type Violation = {
  invariant: InvariantId;
  /** The order, item, key or client that it is about. */
  subject: string;
  detail: string;
  counts: keyof BadCounts;
};

/** An invariant, or a part of it, on which there is no verdict. */
export type NotChecked = { invariant: InvariantId; why: string };

/** How the attempts to place an order were answered. */
export type Answers = Record<
  '201' | '202' | '422' | '429' | '503' | 'other' | 'unanswered',
  number
>;

export type Counts = BadCounts & {
  /** Portions of orders that were paid and stayed so. */
  sold: number;
  /** Portions that can still be sold. */
  stockLeft: number;
  /** Orders answered 202. */
  queuedThenSold: number;
  queuedThenRejected: number;
  answers: Answers;
};

export type Verdict = {
  ok: boolean;
  /** At most `violationsMax` of each invariant; all of them are counted. */
  violations: Violation[];
  notChecked: NotChecked[];
  counts: Counts;
};
