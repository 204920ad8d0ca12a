import { expect, test } from 'vitest';
import { createMemoryBroker } from '../src/bus/index.ts';
import { silentLog } from '../src/log.ts';
import { createMemoryLedger, startRelay, UnavailableError } from '../src/store/index.ts';
import { simulatedEnvironment } from '../src/testing/index.ts';

const orderIdOf = (index: number): string =>
  `0193c1de-0000-7000-8000-${String(index).padStart(12, '0')}`;

/** A night with a broker that comes and goes, and a consumer that fails and dies. */
async function night(seed: number) {
  const env = simulatedEnvironment(seed);
  const ledger = createMemoryLedger({ env });
  const taker = createMemoryLedger({ env });
  const broker = createMemoryBroker({ env });
  const relay = startRelay({ outbox: ledger.outbox, bus: broker.connect(), env, log: silentLog });
  const effects = new Map<string, number>();
  const diary: string[] = [];

  const consume = () => {
    const bus = broker.connect();
    bus.consume(
      'orders',
      async (message) => {
        await env.sleep(env.random() * 50);
        if (env.random() < 0.1) throw new UnavailableError('store', 'down');
        if (env.random() < 0.1) throw new Error('a bug that shows now and then');
        await taker.transaction('take', (tx) => {
          if (!tx.isNew(message.id)) return;
          for (const event of message.events) {
            if (!('orderId' in event)) continue;
            const { orderId } = event;
            tx.change(() => effects.set(orderId, (effects.get(orderId) ?? 0) + 1));
          }
        });
        diary.push(`${env.monotonicMs()} ${message.id}`);
        await env.sleep(env.random() * 20);
      },
      { concurrency: 3 },
    );
    return bus;
  };
  let consumer = consume();
  for (let index = 0; index < 60; index++) {
    await ledger.transaction('emit', (tx) =>
      tx.emit('stock.decided', [{ orderId: orderIdOf(index), outcome: 'short' }]),
    );
    if (env.random() < 0.2) broker.setDown(env.random() < 0.5);
    if (env.random() < 0.2) {
      consumer.crash();
      consumer = consume();
    }
    if (env.random() < 0.2) ledger.dropClaims();
    await env.advance(env.random() * 100);
  }
  broker.setDown(false);
  await env.advance(120_000);
  const left = await consumer.depth('orders');
  const dead = await consumer.deadLetters.list();
  const closing = relay.close();
  await env.advance(1_000);
  await closing;
  return { effects, diary, left, dead: dead.length };
}

test('whatever happens in a night, every event has its effect once, or is a letter', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const { effects, left, dead } = await night(seed);
    expect({ seed, left, sum: effects.size + dead }).toEqual({ seed, left: 0, sum: 60 });
    expect([...effects.values()].every((count) => count === 1)).toBe(true);
  }
});

test('the same seed is the same night', async () => {
  const [one, two, other] = [await night(7), await night(7), await night(8)];
  expect(one.diary).toEqual(two.diary);
  expect(one.diary).not.toEqual(other.diary);
});

test('virtual time moves only when it is told to', async () => {
  const env = simulatedEnvironment(1);
  const ran: string[] = [];
  env.after(20, () => ran.push(`late ${env.monotonicMs()}`));
  const cancel = env.after(5, () => ran.push('never'));
  env.after(10, () => ran.push(`early ${env.monotonicMs()}`));
  const aborted = new AbortController();
  const sleeping = env.sleep(1_000, aborted.signal);
  cancel();
  await env.advance(15);
  expect(ran).toEqual(['early 10']);
  await env.advance(5);
  expect(ran).toEqual(['early 10', 'late 20']);
  aborted.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  expect(env.timers()).toBe(0);
});
