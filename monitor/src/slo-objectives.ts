// What we promise of the order path, as service level objectives.
//
// An objective counts events and bad ones among them: Google's "The Site Reliability Workbook",
// chapter 2, "Implementing SLOs". What a student is rightly refused (sold out, too little money, too
// fast) is a good answer. A gateway that does not answer at all is seen by ServiceDown.

import { placeOrder } from './recording-rules.ts';
import type { Duration, Owner } from './rule-types.ts';

export type Objective = {
  readonly title: string;
  readonly promise: string;
  /** The share of events that are good, of all in the window. */
  readonly target: number;
  /** The window of the budget. */
  readonly windowDays: number;
  readonly owner: Owner;
  /** Begins the names of its alerts. */
  readonly alert: string;
  /** PromQL: bad events a second, and all events a second, over a window; without labels. */
  readonly errors: (window: Duration) => string;
  readonly events: (window: Duration) => string;
};

const requests = (window: Duration): string =>
  `sum(rate(http_requests_total{${placeOrder}}[${window}]))`;
const timed = (part: string, window: Duration): string =>
  `sum(rate(http_request_duration_seconds_${part}[${window}]))`;
/** A bound of the histogram's buckets, so that the count is exact. */
const latencyMaxS = 0.25;

const accepted = (window: Duration): string => `sum(rate(orders_accepted_total[${window}]))`;

export const objectives = {
  order_availability: {
    title: 'Orders are answered',
    promise: '99.9 % of the requests to place an order are answered, and not with 5xx.',
    target: 0.999,
    windowDays: 30,
    owner: 'ordering',
    alert: 'OrderAvailabilityBurnRate',
    errors: (window) =>
      `sum(rate(http_requests_total{${placeOrder},status=~"5.."}[${window}])) ` +
      `or ${requests(window)} * 0`,
    events: requests,
  },
  order_latency: {
    title: 'Orders are answered quickly',
    promise: `99 % of the requests to place an order are answered within ${latencyMaxS * 1000} ms.`,
    target: 0.99,
    windowDays: 30,
    owner: 'ordering',
    alert: 'OrderLatencyBurnRate',
    errors: (window) =>
      `${timed(`count{${placeOrder}}`, window)} - ` +
      timed(`bucket{${placeOrder},le="${latencyMaxS}"}`, window),
    events: (window) => timed(`count{${placeOrder}}`, window),
  },
  order_completion: {
    title: 'Accepted orders are carried out',
    promise: '99.9 % of the accepted orders are paid by their deadline, or end by a decision.',
    target: 0.999,
    windowDays: 30,
    owner: 'ordering',
    alert: 'OrderCompletionBurnRate',
    errors: (window) =>
      `sum(rate(orders_failed_total{reason="deadline"}[${window}])) or ${accepted(window)} * 0`,
    events: accepted,
  },
} as const satisfies Record<string, Objective>;

export type ObjectiveName = keyof typeof objectives;
export const objectiveNames = Object.keys(objectives) as ObjectiveName[];
