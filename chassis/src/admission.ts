// Admission: when there is too much work, refuse early and cheaply, and refuse first what can wait.
//
// A1. Requests in flight are counted together; each priority has a ceiling for that count.
// A2. checkout's ceiling >= read's >= lab's, always: no checkout is refused while a read would enter.
// A3. While the event loop is late all ceilings are lowered alike, at most to a quarter.

import assert from 'node:assert/strict';
import { ApiError, type Priority } from '@rushlight/contracts';

export type AdmissionOptions = {
  /** Requests in flight at the same time, all together. */
  inFlightMax: number;
  /** The part of `inFlightMax` up to which each priority may enter. */
  shares?: Readonly<Record<Priority, number>>;
  /** How late the event loop is now, in milliseconds. Asked at each entry, so it must be cheap. */
  delayMs?: () => number;
  /** The delay above which ceilings are lowered. */
  delayMsMax?: number;
};

export type Admission = {
  /**
   * Counts a request in; the returned function counts it out again, once however often it runs.
   *
   * @throws ApiError('busy') when there is no room for this priority
   */
  enter(priority: Priority): () => void;
  inFlight(): number;
};

export const admissionShares: Readonly<Record<Priority, number>> = {
  checkout: 1,
  read: 0.8,
  lab: 0.5,
};

const loweredMin = 0.25;

export function createAdmission(options: AdmissionOptions): Admission {
  const { inFlightMax, shares = admissionShares, delayMs, delayMsMax = 100 } = options;
  const { checkout, read, lab } = shares;
  assert(Number.isInteger(inFlightMax) && inFlightMax > 0, `inFlightMax ${inFlightMax}`);
  assert(delayMsMax > 0, `delayMsMax ${delayMsMax} must be positive`);
  assert(
    1 >= checkout && checkout >= read && read >= lab && lab >= 0,
    `shares must fall from checkout to lab: ${checkout}, ${read}, ${lab}`,
  );
  let inFlight = 0;
  // One for all: a refusal has to be cheap, and to walk the stack for each is not.
  const busy = new ApiError('busy', { waitS: 1 });

  const lowered = (): number => {
    const lateMs = delayMs?.() ?? 0;
    return lateMs <= delayMsMax ? 1 : Math.max(loweredMin, delayMsMax / lateMs);
  };
  return {
    enter: (priority) => {
      // At least one: an idle service always takes a request.
      const ceiling = Math.max(1, Math.floor(inFlightMax * shares[priority] * lowered()));
      if (inFlight >= ceiling) throw busy;
      inFlight++;
      let entered = true;
      return () => {
        if (!entered) return;
        entered = false;
        inFlight--;
      };
    },
    inFlight: () => inFlight,
  };
}
