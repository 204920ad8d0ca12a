// What the rush and the process of its crowd say to each other.

import type { Listener } from '@rushlight/auditor';
import type { Percentiles } from '../load/histogram.ts';
import type { CrowdPlanOptions } from './crowd-plan.ts';

export type Orders = {
  url: string;
  /** What keys begin with: a platform may have seen the same crowd before. */
  batch: string;
  adminToken: string;
  students: readonly { studentId: string; token: string }[];
  itemIds: readonly string[];
  plan: CrowdPlanOptions;
  historyFile: string;
};

/** By the rush. `finish`: everything has ended; hear what is still to be heard, and close the books. */
export type ToCrowd =
  | { kind: 'begin'; orders: Orders }
  | { kind: 'finish'; lastEventIds: Record<string, number> | undefined };

export type Progress = {
  passedMs: number;
  begun: number;
  accepted: number;
  soldOut: number;
  /** Begun, and not answered for good. */
  waiting: number;
};

export type CrowdResult = {
  latencyMs: { accepted: Percentiles; soldOut: Percentiles };
  accepted: number;
  /** From the first arrival to the last acknowledgement. */
  sellingMs: number;
  /** Clients that never learned what became of their order. */
  gaveUp: number;
  listeners: Listener[];
};

/** By the crowd. */
export type FromCrowd =
  | { kind: 'started' }
  | ({ kind: 'progress' } & Progress)
  | { kind: 'over'; result: CrowdResult }
  | { kind: 'closed' };
