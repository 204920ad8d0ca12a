// Who is told what, and when, as Alertmanager does it: alerts of one rule come as one message.
//
// N1. A group is told for the first time `waitMs` after its first alert, so that what breaks
//     together comes together; again when an alert joins or ends, at most every `changeMs`; and
//     again unchanged every `repeatMs` while it fires.
// N2. An alert is told as resolved once, and only if it was told as firing.
// N3. A silenced or inhibited alert is neither told nor, while it still fires, told as resolved.
// N4. A pure function of what fires and what was told. What could not be sent is simply not
//     remembered as told; so the next plan has it again.

import type { Labels } from '../model.ts';
import { alertKey, type FiringAlert } from './alert-state.ts';

export type Told = { labels: Labels; annotations: Labels; firedAtMs: number };

/** What one receiver knows of one group. */
export type GroupMemory =
  | { status: 'waiting'; firstMs: number }
  | { status: 'told'; atMs: number; told: Told[] };

export type Memory = Readonly<Record<string, GroupMemory>>;

export type Message = {
  group: string;
  firing: Told[];
  resolved: Told[];
};

export type Pace = { waitMs: number; changeMs: number; repeatMs: number };

export type Plan = {
  /** To be remembered now. */
  memory: Memory;
  /** Each with what is to be remembered when it was sent; undefined forgets the group. */
  messages: { message: Message; then: GroupMemory | undefined }[];
};

/**
 * @param firing all alerts that fire
 * @param isHeld those that are not sent (N3)
 */
export function planNotifications(
  memory: Memory,
  firing: readonly FiringAlert[],
  isHeld: (alert: FiringAlert) => boolean,
  nowMs: number,
  pace: Pace,
): Plan {
  const plan: { memory: Record<string, GroupMemory>; messages: Plan['messages'] } = {
    memory: {},
    messages: [],
  };
  const groups = new Set([
    ...Object.keys(memory),
    ...firing.filter((alert) => !isHeld(alert)).map(groupOf),
  ]);
  for (const group of groups) {
    const all = firing.filter((alert) => groupOf(alert) === group);
    const heard = all.filter((alert) => !isHeld(alert)).map(told);
    const known = memory[group] ?? { status: 'waiting', firstMs: nowMs };
    const before = known.status === 'told' ? known.told : [];
    const stillFires = new Set(all.map(({ labels }) => alertKey(labels)));
    const resolved = before.filter(({ labels }) => !stillFires.has(alertKey(labels)));
    if (heard.length === 0 && before.length === 0) continue; // It ended before anybody was told.
    plan.memory[group] = known;
    const now = { heard, resolved, held: before.filter(isFiringYetHeld(heard, stillFires)) };
    if (!isDue(known, now, nowMs, pace)) continue;
    const next = [...now.heard, ...now.held];
    const then =
      next.length === 0 ? undefined : ({ status: 'told', atMs: nowMs, told: next } as const);
    if (heard.length === 0 && resolved.length === 0) continue; // All of it is held.
    plan.messages.push({ message: { group, firing: heard, resolved }, then });
  }
  return plan;
}

/** Told once, fires yet, and is held now: nobody hears of it, and it is not forgotten. */
function isFiringYetHeld(heard: readonly Told[], stillFires: ReadonlySet<string>) {
  const isHeard = new Set(heard.map(({ labels }) => alertKey(labels)));
  return ({ labels }: Told): boolean =>
    stillFires.has(alertKey(labels)) && !isHeard.has(alertKey(labels));
}

function isDue(
  known: GroupMemory,
  now: { heard: readonly Told[]; resolved: readonly Told[] },
  nowMs: number,
  pace: Pace,
): boolean {
  // A clock that was set back: better told once more than not for so long.
  const passedMs = (sinceMs: number): number =>
    nowMs < sinceMs ? Number.POSITIVE_INFINITY : nowMs - sinceMs;
  switch (known.status) {
    case 'waiting':
      return passedMs(known.firstMs) >= pace.waitMs;
    case 'told': {
      const before = new Set(known.told.map(({ labels }) => alertKey(labels)));
      const joined = now.heard.some(({ labels }) => !before.has(alertKey(labels)));
      const changed = joined || now.resolved.length > 0;
      return passedMs(known.atMs) >= (changed ? pace.changeMs : pace.repeatMs);
    }
  }
}

function told({ labels, annotations, firedAtMs }: FiringAlert): Told {
  return { labels, annotations, firedAtMs };
}

function groupOf({ labels }: FiringAlert): string {
  return labels['alertname'] ?? '';
}
