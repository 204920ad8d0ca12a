// How an invariant says what it found.

import type { Facts } from '../facts.ts';
import type { BadCounts } from '../verdict.ts';

export type Report = {
  violated(subject: string, detail: string, counts: keyof BadCounts): void;
  /** A part on which there can be no verdict. */
  unchecked(why: string): void;
};

export type Judge = (facts: Facts, report: Report) => void;
