// The judgement of a run: every invariant over the same facts, and the counts of the certificate.
//
// J1. `ok` is true exactly when no invariant is violated, and then all bad counts are 0.
// J2. What could not be judged is said, never passed over: it is no violation, and no pass.
// J3. Linear in the history and the evidence, but for sorting and looking up by halves.

import type { Evidence } from './evidence.ts';
import { type Facts, gather, type Settings, settingsOf } from './facts.ts';
import type { Entry } from './history.ts';
import { type InvariantSpec, invariants } from './invariants.ts';
import { isSold } from './life-cycle.ts';
import type {
  Answers,
  BadCounts,
  CheckOptions,
  Counts,
  InvariantId,
  NotChecked,
  Verdict,
  Violation,
} from './verdict.ts';

/** Of each invariant this many violations are told in words; all are counted. */
export const violationsMax = 100;

const ids = Object.keys(invariants) as InvariantId[];

/**
 * Judges a run by what its clients saw and what the platform says of itself. Pure.
 *
 * @throws Error for a history that cannot have been recorded rightly
 */
export function check(
  history: Iterable<Entry>,
  evidence: Evidence,
  options: CheckOptions,
): Verdict {
  const facts = gather(history, evidence, settingsOf(options));
  const violations: Violation[] = [];
  const notChecked: NotChecked[] = [];
  const bad = noneBad();
  for (const invariant of ids) {
    const spec: InvariantSpec = invariants[invariant];
    const { missing, judges } = limitsOf(spec, evidence, facts.settings);
    for (const why of missing) notChecked.push({ invariant, why });
    if (!judges) continue;
    let told = 0;
    spec.judge(facts, {
      violated: (subject, detail, counts) => {
        bad[counts] += 1;
        if (++told <= violationsMax) violations.push({ invariant, subject, detail, counts });
      },
      unchecked: (why) => notChecked.push({ invariant, why }),
    });
  }
  const counts = { ...bad, ...countGood(facts) };
  return { ok: violations.length === 0, violations, notChecked, counts };
}

/** What of an invariant cannot be judged here, and whether the rest can. */
function limitsOf(
  { needs, uses, atTheEnd }: InvariantSpec,
  evidence: Evidence,
  { drained }: Settings,
): { missing: string[]; judges: boolean } {
  const without = needs.find((part) => evidence[part] === undefined);
  if (without) return { missing: [`no evidence of ${without}`], judges: false };
  if (atTheEnd === 'all' && !drained) return { missing: ['not drained'], judges: false };
  const missing = uses
    .filter((part) => evidence[part] === undefined)
    .map((part) => `in part: no evidence of ${part}`);
  if (atTheEnd === 'a part' && !drained) missing.push('in part: not drained');
  return { missing, judges: true };
}

function noneBad(): BadCounts {
  return {
    ...{ lost: 0, unsettled: 0, duplicated: 0, oversold: 0 },
    ...{ chargedTwice: 0, chargedUnsold: 0, refusedNeedlessly: 0, unexpected: 0 },
  };
}

function countGood(facts: Facts): Omit<Counts, keyof BadCounts> {
  const { evidence, acknowledged, orders } = facts;
  let sold = 0;
  for (const { status, lines } of evidence.orders) {
    if (isSold(status)) for (const { quantity } of lines) sold += quantity;
  }
  let stockLeft = 0;
  for (const { left } of evidence.items) stockLeft += left;
  let queuedThenSold = 0;
  let queuedThenRejected = 0;
  for (const { orderId, status } of acknowledged.values()) {
    if (status !== 202) continue;
    const end = orders.get(orderId)?.status ?? '';
    if (isSold(end)) queuedThenSold += 1;
    else if (end === 'rejected') queuedThenRejected += 1;
  }
  return { sold, stockLeft, queuedThenSold, queuedThenRejected, answers: countAnswers(facts) };
}

function countAnswers({ placements }: Facts): Answers {
  const answers = { '201': 0, '202': 0, '422': 0, '429': 0, '503': 0, other: 0, unanswered: 0 };
  for (const { end } of placements) {
    const status = end?.status;
    switch (status) {
      case undefined:
        answers.unanswered += 1;
        break;
      case 201:
      case 202:
      case 422:
      case 429:
      case 503:
        answers[status] += 1;
        break;
      default:
        answers.other += 1;
    }
  }
  return answers;
}
