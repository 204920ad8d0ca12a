// Alerting as the monitor runs it, on a clock of its own.

import { silentLog } from '@rushlight/chassis';
import { type SimulatedEnvironment, simulatedEnvironment } from '@rushlight/chassis/testing';
import { expect, onTestFinished, test } from 'vitest';
import { type Alerting, type AlertingOptions, startAlerting } from '../src/alerting/alert-loop.ts';
import { type Keeper, nothingKept, readKept } from '../src/alerting/kept-state.ts';
import type { MessageText } from '../src/alerting/message-text.ts';
import type { Notifier } from '../src/alerting/notifier.ts';
import { RecordedSeries } from '../src/alerting/recorded-series.ts';
import type { RuleGroup } from '../src/alerting/rule-groups.ts';
import type { AlertRule } from '../src/rule-types.ts';

const rule = (expr: string): AlertRule => ({
  expr,
  for: '30s',
  severity: 'page',
  owner: 'platform',
  summary: '{{ $labels.service }} is down',
  description: 'It is dead.',
  runbook: 'ServiceDown',
});
const groups: readonly RuleGroup[] = [
  {
    name: 'test',
    interval: '10s',
    recording: [{ record: 'a:b', expr: 'c' }],
    alerts: [
      { name: 'ServiceDown', rule: rule('down') },
      { name: 'Broken', rule: rule('broken') },
    ],
  },
];

/** A notifier that keeps what it was sent, or fails. */
class Inbox implements Notifier {
  readonly name = 'inbox';
  readonly subjects: string[] = [];
  fails = false;

  async send({ subject }: MessageText): Promise<void> {
    if (this.fails) throw new Error('the inbox is full');
    this.subjects.push(subject);
  }

  close(): void {}
}

class Shop {
  /** What is on the disk; undefined when it takes nothing. */
  disk: string | undefined = '';
  readonly inbox = new Inbox();
  readonly down = new Set<string>();
  readonly recorded: string[] = [];
  env: SimulatedEnvironment = simulatedEnvironment(1);
  alerting: Alerting | undefined;

  constructor() {
    onTestFinished(() => this.stop());
  }

  readonly #keeper: Keeper = {
    read: async (nowMs) => readKept(this.disk ?? '', nowMs) ?? nothingKept,
    write: async (kept) => {
      if (this.disk === undefined) throw new Error('no space left on device');
      this.disk = JSON.stringify(kept);
    },
  };

  async start(more: Partial<AlertingOptions> = {}): Promise<Alerting> {
    this.alerting = await startAlerting({
      evaluate: async (expr) => {
        if (expr === 'broken') throw new Error('broken: no such function');
        if (expr === 'c') return [{ labels: {}, value: 1 }];
        return [...this.down].map((service) => ({ labels: { service }, value: 0 }));
      },
      recorded: new RecordedSeries(),
      record: (samples) => this.recorded.push(...samples.map(({ name }) => name)),
      env: this.env,
      log: silentLog,
      notifiers: [this.inbox],
      keeper: this.#keeper,
      groups,
      ...more,
    });
    return this.alerting;
  }

  async pass(seconds: number): Promise<void> {
    await this.env.advance(seconds * 1_000);
  }

  async stop(): Promise<void> {
    const closing = this.alerting?.close();
    await this.env.advance(1_000);
    await closing;
    this.alerting = undefined;
  }
}

test('an alert is pending, fires, is told, ends, is told, and stands in the history', async () => {
  const shop = new Shop();
  const alerting = await shop.start();
  shop.down.add('orders');
  await shop.pass(30);
  expect(alerting.report().alerts).toMatchObject([{ alert: 'ServiceDown', status: 'pending' }]);
  await shop.pass(50);
  expect(alerting.report().alerts).toMatchObject([
    { alert: 'ServiceDown', status: 'firing', summary: 'orders is down', value: 0 },
  ]);
  expect(shop.inbox.subjects).toEqual(['[page] ServiceDown: orders is down']);
  shop.down.clear();
  await shop.pass(80);
  expect(shop.inbox.subjects.slice(1)).toEqual(['[resolved] ServiceDown']);
  const { alerts, history, notifiers } = alerting.report();
  expect(alerts).toEqual([]);
  expect(history).toMatchObject([{ labels: { service: 'orders' }, annotations: {} }]);
  expect(notifiers).toMatchObject([{ name: 'inbox', status: { state: 'ok' } }]);
  expect(shop.recorded).toContain('a:b');
});

test('a rule that cannot be evaluated says so, and stops no other', async () => {
  const shop = new Shop();
  const alerting = await shop.start();
  await shop.pass(20);
  const health = Object.fromEntries(
    alerting.report().rules.map((view) => [view.alert, view.health]),
  );
  expect(health['ServiceDown']).toMatchObject({ state: 'ok' });
  expect(health['Broken']).toMatchObject({ state: 'failing', error: 'broken: no such function' });
});

test('a question that is never answered is given up; the alerts stay as they were', async () => {
  const shop = new Shop();
  let isFrozen = false;
  const alerting = await shop.start({
    evaluate: async () => {
      if (isFrozen) await new Promise(() => undefined);
      return [{ labels: { service: 'orders' }, value: 0 }];
    },
  });
  await shop.pass(70);
  isFrozen = true;
  await shop.pass(60);
  const { alerts, rules } = alerting.report();
  expect(alerts).toMatchObject([{ status: 'firing' }, { status: 'firing' }]);
  expect(rules[0]?.health).toMatchObject({ state: 'failing' });
  expect(JSON.stringify(rules[0]?.health)).toContain('down: no answer in 10000 ms');
});

test('a notifier that fails is tried again later', async () => {
  const shop = new Shop();
  const alerting = await shop.start();
  shop.inbox.fails = true;
  shop.down.add('orders');
  await shop.pass(80);
  expect(alerting.report().notifiers[0]?.status).toMatchObject({
    state: 'failing',
    error: 'the inbox is full',
  });
  shop.inbox.fails = false;
  await shop.pass(70);
  expect(shop.inbox.subjects).toEqual(['[page] ServiceDown: orders is down']);
});

test('a silenced alert is shown and not told', async () => {
  const shop = new Shop();
  const alerting = await shop.start();
  const silence = alerting.silence({
    matchers: [{ label: 'service', operator: '=', value: 'orders' }],
    untilMs: shop.env.nowMs() + 600_000,
    createdBy: 'sara',
    comment: 'planned',
  });
  shop.down.add('orders');
  await shop.pass(100);
  expect(shop.inbox.subjects).toEqual([]);
  expect(alerting.report().alerts).toMatchObject([{ silencedBy: silence.id }]);
  expect(alerting.endSilence(silence.id)).toBe(true);
  expect(alerting.endSilence(silence.id)).toBe(false);
  await shop.pass(30);
  expect(shop.inbox.subjects).toHaveLength(1);
});

test('after a restart nobody is told twice, and silences hold', async () => {
  const shop = new Shop();
  const first = await shop.start();
  shop.down.add('orders');
  await shop.pass(80);
  const wanted = { untilMs: shop.env.nowMs() + 600_000, createdBy: 'sara', comment: 'planned' };
  const matchers = [{ label: 'service', operator: '=' as const, value: 'kitchen' }];
  const { id } = first.silence({ ...wanted, matchers });
  await shop.stop();
  await shop.env.advance(120_000);
  const second = await shop.start();
  expect(second.report().alerts).toMatchObject([{ alert: 'ServiceDown', status: 'firing' }]);
  shop.down.add('kitchen');
  await shop.pass(150);
  expect(second.report().silences).toMatchObject([{ id }]);
  expect(shop.inbox.subjects).toEqual(['[page] ServiceDown: orders is down']);
});

test('a pending alert goes on after a restart where it was', async () => {
  const shop = new Shop();
  await shop.start();
  shop.down.add('orders');
  await shop.pass(30);
  await shop.stop();
  await shop.env.advance(600_000);
  const second = await shop.start();
  const [alert] = second.report().alerts;
  expect(alert).toMatchObject({ status: 'pending' });
  expect(shop.env.nowMs() - (alert?.sinceMs ?? 0)).toBeLessThan(30_000);
});

test('what was kept long ago is left', async () => {
  const shop = new Shop();
  await shop.start();
  shop.down.add('orders');
  await shop.pass(80);
  await shop.stop();
  await shop.env.advance(2 * 3_600_000);
  expect((await shop.start()).report().alerts).toEqual([]);
});

test('a disk that takes nothing stops no alert', async () => {
  const shop = new Shop();
  shop.disk = undefined;
  await shop.start();
  shop.down.add('orders');
  await shop.pass(80);
  expect(shop.inbox.subjects).toHaveLength(1);
});
