// What one run suffers and who takes part: drawn from its seed, so that each run is of a kind of its
// own. Where every run had a little of everything, no run would have much of anything.
//
// S1. Every setting is a number under a flat name: what a person sets, a shrinker lowers and a file
//     keeps are the same.

import { serviceNames } from './shop/process-names.ts';

/** The largest value of each; most are rates, 0 to 1. Where a run has none of it, 0. */
export const settingMax = {
  /** How long there are faults. */
  chaosMs: 12_000,
  students: 4,
  orders: 14,
  items: 3,
  /** Portions of each item at the beginning. */
  stock: 8,
  /** Of orders that ask for several items. */
  bigOrderRate: 0.5,
  poorRate: 0.6,
  doubleTapRate: 0.4,
  cancelRate: 0.8,
  keyReuseRate: 0.1,
  addStockTimes: 3,
  topUps: 2,
  refuseRate: 0.3,
  collectRate: 1,
  stations: 4,
  cookMsMax: 2_500,
  shelfMs: 20_000,

  crashes: 10,
  downMsMax: 4_000,
  stops: 3,
  stopMsMax: 8_000,
  busDowns: 2,
  busDownMsMax: 4_000,
  clockShiftMsMax: 3_000,
  clockJumps: 2,

  callMs: 8,
  requestLostRate: 0.08,
  answerLostRate: 0.08,
  slowCallRate: 0.1,
  storeMs: 8,
  storeFailedRate: 0.05,
  commitUnheardRate: 0.05,
  slowStoreRate: 0.05,
  slowMsMax: 4_000,
  busMs: 10,
  publishFailedRate: 0.1,
  confirmLostRate: 0.1,
  messageRepeatedRate: 0.25,
  messageLateRate: 0.6,
  ackLostRate: 0.15,
  hintLostRate: 0.5,
  providerMs: 60,
  declineRate: 0.15,
  providerSilentRate: 0.15,
  providerSlowRate: 0.1,
  streamCutRate: 0.02,

  /** Nets, on (1) or off (0) while there are faults. */
  deadlineSweeper: 1,
  resumer: 1,
  clientRetries: 1,
  /** How many times as long work that comes again and again pauses. */
  pace: 6,
  /** All faults of processes strike the same one (1). */
  focus: 1,
} as const;

export type SettingName = keyof typeof settingMax;
export type Settings = Record<SettingName, number>;

export type FaultPlan =
  | { atMs: number; kind: 'crash'; process: string; durationMs: number }
  | { atMs: number; kind: 'stop'; process: string; durationMs: number }
  | { atMs: number; kind: 'clock'; process: string; shiftMs: number }
  | { atMs: number; kind: 'bus_down'; durationMs: number };

const always: Partial<Record<SettingName, readonly [min: number, max: number]>> = {
  chaosMs: [2_000, settingMax.chaosMs],
  students: [1, settingMax.students],
  orders: [2, settingMax.orders],
  items: [1, settingMax.items],
  stock: [1, settingMax.stock],
  collectRate: [0.2, 1],
  stations: [1, settingMax.stations],
  shelfMs: [3_000, settingMax.shelfMs],
  downMsMax: [50, settingMax.downMsMax],
  stopMsMax: [100, settingMax.stopMsMax],
  busDownMsMax: [100, settingMax.busDownMsMax],
  slowMsMax: [50, settingMax.slowMsMax],
  callMs: [1, settingMax.callMs],
  storeMs: [1, settingMax.storeMs],
  busMs: [1, settingMax.busMs],
  providerMs: [1, settingMax.providerMs],
  pace: [1, settingMax.pace],
};
const whole = new Set<SettingName>([
  ...(['chaosMs', 'students', 'orders', 'items', 'stock', 'addStockTimes', 'topUps'] as const),
  ...(['stations', 'cookMsMax', 'shelfMs', 'crashes', 'stops', 'busDowns', 'clockJumps'] as const),
]);
const switches = new Map<SettingName, { onShare: number }>([
  ['deadlineSweeper', { onShare: 0.6 }],
  ['resumer', { onShare: 0.6 }],
  ['clientRetries', { onShare: 0.6 }],
  ['focus', { onShare: 0.2 }],
]);
const absentShare = 0.45;

/** @param given replaces what was drawn */
export function drawSettings(random: () => number, given: Partial<Settings> = {}): Settings {
  const settings = {} as Settings;
  for (const name of Object.keys(settingMax) as SettingName[]) {
    settings[name] = draw(name, random(), random());
  }
  return { ...settings, ...given };
}

function draw(name: SettingName, presence: number, amount: number): number {
  const turned = switches.get(name);
  if (turned) return presence < turned.onShare ? 1 : 0;
  const range = always[name];
  if (!range && presence < absentShare) return 0;
  const [min, max] = range ?? [whole.has(name) ? 1 : settingMax[name] / 20, settingMax[name]];
  if (whole.has(name)) return min + Math.floor(amount * (max - min + 1));
  return Math.round((min + amount * (max - min)) * 10_000) / 10_000;
}

/** The faults that come at an instant, in the order of time. */
export function drawFaults(settings: Settings, random: () => number): FaultPlan[] {
  const { chaosMs } = settings;
  const plan: FaultPlan[] = [];
  const any = (): string => serviceNames[Math.floor(random() * serviceNames.length)] ?? 'orders';
  const victim = any();
  const pick = (): string => (settings.focus === 1 ? victim : any());
  const within = (maxMs: number): number => Math.ceil(random() * maxMs);
  for (let count = 0; count < settings.crashes; count++) {
    const durationMs = within(settings.downMsMax);
    plan.push({ atMs: within(chaosMs), kind: 'crash', process: pick(), durationMs });
  }
  for (let count = 0; count < settings.stops; count++) {
    const durationMs = within(settings.stopMsMax);
    plan.push({ atMs: within(chaosMs), kind: 'stop', process: pick(), durationMs });
  }
  for (let count = 0; count < settings.busDowns; count++) {
    plan.push({
      atMs: within(chaosMs),
      kind: 'bus_down',
      durationMs: within(settings.busDownMsMax),
    });
  }
  const jumps = settings.clockShiftMsMax > 0 ? settings.clockJumps : 0;
  for (let count = 0; count < jumps; count++) {
    const shiftMs = Math.round((random() * 2 - 1) * settings.clockShiftMsMax);
    plan.push({ atMs: within(chaosMs), kind: 'clock', process: pick(), shiftMs });
  }
  return plan.sort((a, b) => a.atMs - b.atMs);
}
