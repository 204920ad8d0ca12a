import { expect, test } from 'vitest';
import type { FiringAlert } from '../src/alerting/alert-state.ts';
import { inhibitedBy } from '../src/alerting/inhibitions.ts';
import { type Memory, type Message, planNotifications } from '../src/alerting/notification-plan.ts';

const pace = { waitMs: 10, changeMs: 60, repeatMs: 1_000 };

function alert(alertname: string, service: string): FiringAlert {
  const labels = { alertname, service };
  return { status: 'firing', labels, value: 1, annotations: {}, sinceMs: 0, firedAtMs: 0 };
}

/** A receiver that takes everything. */
class Told {
  #memory: Memory = {};
  readonly #held = new Set<FiringAlert>();

  hold(one: FiringAlert): void {
    this.#held.add(one);
  }

  at(nowMs: number, firing: readonly FiringAlert[], takes = true): string[] {
    const isHeld = (one: FiringAlert): boolean => this.#held.has(one);
    const plan = planNotifications(this.#memory, firing, isHeld, nowMs, pace);
    const memory = { ...plan.memory };
    for (const { message, then } of takes ? plan.messages : []) {
      if (then === undefined) delete memory[message.group];
      else memory[message.group] = then;
    }
    this.#memory = memory;
    return takes ? plan.messages.map(({ message }) => written(message)) : [];
  }

  get groups(): string[] {
    return Object.keys(this.#memory);
  }
}

function written({ group, firing, resolved }: Message): string {
  const names = (told: Message['firing']): string =>
    told.map(({ labels }) => labels['service']).join('+');
  return `${group} fires ${names(firing)} ends ${names(resolved)}`;
}

const orders = alert('ServiceDown', 'orders');
const kitchen = alert('ServiceDown', 'kitchen');

test('what breaks together is told together, once, and again after a long time', () => {
  const told = new Told();
  expect(told.at(0, [orders])).toEqual([]);
  expect(told.at(5, [orders, kitchen])).toEqual([]);
  expect(told.at(10, [orders, kitchen])).toEqual(['ServiceDown fires orders+kitchen ends ']);
  expect(told.at(500, [orders, kitchen])).toEqual([]);
  expect(told.at(1_010, [orders, kitchen])).toEqual(['ServiceDown fires orders+kitchen ends ']);
});

test('an alert that joins or ends is told, not too often; the last end closes the group', () => {
  const told = new Told();
  told.at(0, [orders]);
  told.at(10, [orders]);
  expect(told.at(20, [orders, kitchen])).toEqual([]);
  expect(told.at(70, [orders, kitchen])).toEqual(['ServiceDown fires orders+kitchen ends ']);
  expect(told.at(130, [kitchen])).toEqual(['ServiceDown fires kitchen ends orders']);
  expect(told.at(190, [])).toEqual(['ServiceDown fires  ends kitchen']);
  expect(told.groups).toEqual([]);
});

test('what ends before anybody was told is not told at all', () => {
  const told = new Told();
  told.at(0, [orders]);
  expect(told.at(9, [])).toEqual([]);
  expect(told.groups).toEqual([]);
  told.at(20, [orders]);
  expect(told.at(29, [orders])).toEqual([]);
});

test('rules are told apart', () => {
  const told = new Told();
  const open = alert('BreakerOpen', 'orders');
  told.at(0, [orders, open]);
  expect(told.at(10, [orders, open])).toHaveLength(2);
});

test('a silenced alert is neither told nor told as ended', () => {
  const told = new Told();
  told.at(0, [orders, kitchen]);
  told.at(10, [orders, kitchen]);
  told.hold(kitchen);
  expect(told.at(1_500, [orders, kitchen])).toEqual(['ServiceDown fires orders ends ']);
  expect(told.at(1_600, [kitchen])).toEqual(['ServiceDown fires  ends orders']);
  expect(told.at(3_000, [kitchen])).toEqual([]);
  expect(told.groups).toEqual(['ServiceDown']);
  expect(told.at(4_000, [])).toEqual(['ServiceDown fires  ends kitchen']);
});

test('what was not taken is told again', () => {
  const told = new Told();
  told.at(0, [orders]);
  told.at(10, [orders], false);
  expect(told.at(20, [orders])).toEqual(['ServiceDown fires orders ends ']);
  told.at(80, [], false);
  expect(told.at(90, [])).toEqual(['ServiceDown fires  ends orders']);
});

test('who is down is not also reported as slow, and a faster burn hides the slower ones', () => {
  const slow = { alertname: 'HighLatency', service: 'orders' };
  expect(inhibitedBy(slow, [orders.labels])).toBe('ServiceDown');
  expect(inhibitedBy(slow, [kitchen.labels, slow])).toBeUndefined();
  const burn = (times: string) => ({
    alertname: `OrderLatencyBurnRate${times}`,
    slo: 'order_latency',
  });
  expect(inhibitedBy(burn('1x'), [burn('6x')])).toBe('OrderLatencyBurnRate6x');
  expect(inhibitedBy(burn('6x'), [burn('1x')])).toBeUndefined();
});

test('a clock that was set back keeps nobody from being told', () => {
  const told = new Told();
  told.at(1_000_000, [orders]);
  expect(told.at(500, [orders])).toEqual(['ServiceDown fires orders ends ']);
  expect(told.at(600, [orders, kitchen])).toEqual(['ServiceDown fires orders+kitchen ends ']);
  expect(told.at(100, [])).toEqual(['ServiceDown fires  ends orders+kitchen']);
});
