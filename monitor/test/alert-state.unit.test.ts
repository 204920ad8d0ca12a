import { seededRandom } from '@rushlight/chassis/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ActiveAlert, alertsPerRuleMax, judge } from '../src/alerting/alert-state.ts';
import type { NamedAlert } from '../src/alerting/rule-groups.ts';
import type { Duration } from '../src/rule-types.ts';

const slow = (hold: Duration): NamedAlert => ({
  name: 'TooSlow',
  rule: {
    expr: 'slow',
    for: hold,
    severity: 'page',
    owner: 'platform',
    summary: '{{ $labels.service }} takes {{ $value }} s',
    description: 'Slow.',
    runbook: 'TooSlow',
  },
});
const answer = (service: string, value = 1) => ({ labels: { service }, value });
const sentence = { description: 'Slow.', runbook: 'docs/runbooks/TooSlow.md' };

test('an alert is pending until its condition has held for long enough, then fires once', () => {
  const rule = slow('30s');
  const first = judge(rule, [], [answer('orders', 2)], 1_000);
  expect(first).toEqual({
    active: [
      {
        labels: { alertname: 'TooSlow', service: 'orders', severity: 'page', owner: 'platform' },
        value: 2,
        annotations: { ...sentence, summary: 'orders takes 2 s' },
        sinceMs: 1_000,
        status: 'pending',
      },
    ],
    changes: [],
  });
  const second = judge(rule, first.active, [answer('orders', 3)], 31_000);
  const fires = {
    labels: { alertname: 'TooSlow', service: 'orders', severity: 'page', owner: 'platform' },
    value: 3,
    annotations: { ...sentence, summary: 'orders takes 3 s' },
    sinceMs: 1_000,
    status: 'firing',
    firedAtMs: 31_000,
  };
  expect(second).toEqual({ active: [fires], changes: [{ kind: 'fired', alert: fires }] });
  const third = judge(rule, second.active, [answer('orders', 3)], 41_000);
  expect(third).toEqual({ active: [fires], changes: [] });
  const over = judge(rule, third.active, [], 51_000);
  expect(over).toEqual({
    active: [],
    changes: [{ kind: 'resolved', alert: fires, atMs: 51_000 }],
  });
});

test('a condition that lapses begins again', () => {
  const rule = slow('30s');
  const pending = judge(rule, [], [answer('orders')], 0).active;
  const lapsed = judge(rule, pending, [], 10_000);
  expect(lapsed).toEqual({ active: [], changes: [] });
  const again = judge(rule, lapsed.active, [answer('orders')], 20_000).active;
  expect(judge(rule, again, [answer('orders')], 40_000).changes).toEqual([]);
  expect(judge(rule, again, [answer('orders')], 50_000).changes).toHaveLength(1);
});

test('a clock that was set back does not make it wait for so long again', () => {
  const rule = slow('30s');
  const pending = judge(rule, [], [answer('orders')], 1_000_000).active;
  const after = judge(rule, pending, [answer('orders')], 5_000).active;
  expect(judge(rule, after, [answer('orders')], 34_000).changes).toEqual([]);
  expect(judge(rule, after, [answer('orders')], 35_000).changes).toHaveLength(1);
});

test('a rule that waits for nothing fires at once', () => {
  expect(judge(slow('0s'), [], [answer('orders')], 5).changes).toMatchObject([{ kind: 'fired' }]);
});

test('series that become one alert, and too many of them, are errors that say what to do', () => {
  const twice = [
    { labels: { service: 'orders', __name__: 'a' }, value: 1 },
    { labels: { service: 'orders', __name__: 'b' }, value: 1 },
  ];
  expect(() => judge(slow('0s'), [], twice, 0)).toThrow('TooSlow has two series');
  const many = Array.from({ length: alertsPerRuleMax + 1 }, (_, n) => answer(`s${n}`));
  expect(() => judge(slow('0s'), [], many, 0)).toThrow('aggregate its expression');
});

test('an alert fires exactly while its condition has held at every look for long enough', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 5 }), (seed, holdTurns) => {
      const random = seededRandom(seed);
      const rule = slow(`${holdTurns * 10}s`);
      let active: ActiveAlert[] = [];
      let heldTurns = -1;
      let isFiring = false;
      for (let turn = 0; turn < 60; turn++) {
        const holds = random() < 0.7;
        const { active: next, changes } = judge(
          rule,
          active,
          holds ? [answer('orders', turn)] : [],
          turn * 10_000,
        );
        heldTurns = holds ? heldTurns + 1 : -1;
        const fires = holds && heldTurns >= holdTurns;
        expect(next.map(({ status }) => status)).toEqual(
          !holds ? [] : fires ? ['firing'] : ['pending'],
        );
        expect(changes.map(({ kind }) => kind)).toEqual(
          fires === isFiring ? [] : [fires ? 'fired' : 'resolved'],
        );
        isFiring = fires;
        active = next;
      }
    }),
    { numRuns: 100 },
  );
});
