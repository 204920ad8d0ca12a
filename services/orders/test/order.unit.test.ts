import { type OrderStatus, orderRank, orderStatuses } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, hasEnded, isUnpaid, type OrderEvent, type Step } from '../src/order.ts';

const events: readonly OrderEvent[] = [
  { type: 'stock.reserved' },
  { type: 'stock.short', via: 'call' },
  { type: 'stock.short', via: 'bus' },
  { type: 'stock.unknown' },
  { type: 'payment.captured' },
  { type: 'payment.refused', reason: 'insufficient_funds' },
  { type: 'payment.refused', reason: 'payment_declined' },
  { type: 'ticket.cooking' },
  { type: 'ticket.cooking', readyAtMs: 1 },
  { type: 'ticket.ready' },
  { type: 'ticket.collected' },
  { type: 'ticket.refused' },
  { type: 'ticket.voided' },
  { type: 'ticket.voided', by: 'admin' },
  { type: 'cancel.asked', by: 'student' },
  { type: 'cancel.asked', by: 'admin' },
  { type: 'deadline.passed' },
];
const anyEvent = fc.constantFrom(...events);
const anyLife = fc.array(anyEvent, { maxLength: 30 });

/** Lives an order from `pending`, and tells each step. */
function live(life: readonly OrderEvent[]) {
  let status: OrderStatus = 'pending';
  return life.map((event) => {
    const before = status;
    const step = advance(status, event);
    if (step.kind === 'moved') status = step.state.status;
    return { event, before, step, after: status };
  });
}

test('every event is decided in every state', () => {
  for (const status of orderStatuses) {
    for (const event of events) {
      const step = advance(status, event);
      expect(['moved', 'repeated', 'kitchen decides', 'refused']).toContain(step.kind);
      if (step.kind === 'refused') expect(step.why).toContain(status);
    }
  }
});

test('an order never moves backwards, whatever arrives in whatever order', () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      for (const { before, step } of live(life)) {
        if (step.kind === 'moved')
          expect(orderRank[step.state.status]).toBeGreaterThan(orderRank[before]);
      }
    }),
  );
});

test('the same event again changes nothing', () => {
  fc.assert(
    fc.property(anyLife, anyEvent, (life, event) => {
      const status = live([...life, event]).at(-1)?.after ?? 'pending';
      expect(advance(status, event).kind).not.toBe('moved');
    }),
  );
});

test('a late event never revives an order that has ended', () => {
  for (const status of orderStatuses.filter(hasEnded)) {
    for (const event of events) expect(advance(status, event).kind).not.toBe('moved');
  }
});

test('an order is paid only through a capture, after its stock was verified', () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      const lived = live(life);
      const paid = lived.findIndex(
        ({ after }) => !isUnpaid(after) && orderRank[after] <= orderRank.collected,
      );
      if (paid < 0) return;
      expect(lived[paid]?.event.type).toBe('payment.captured');
      expect(lived[paid]?.before).toBe('stock_verified');
    }),
  );
});

// What inventory and payments may have done for an order, by their own rules: inventory may hold as
// soon as it was asked (which is before any answer), payments may charge as soon as it was told
// that the stock is verified.
test('who ends an order says release while stock may be held, refund while money may be taken', () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      for (const { event, before, step } of live(life)) {
        if (step.kind !== 'moved' || !('release' in step.state)) continue;
        const nothingHeld = event.type === 'stock.short';
        const mayBeCharged =
          orderRank[before] >= orderRank.stock_verified && event.type !== 'payment.refused';
        expect(step.state.release, `${before} <- ${event.type}`).toBe(!nothingHeld);
        expect(step.state.refund, `${before} <- ${event.type}`).toBe(mayBeCharged);
      }
    }),
  );
});

const table: [OrderStatus, OrderEvent, Step['kind'] | OrderStatus][] = [
  ['pending', { type: 'stock.reserved' }, 'stock_verified'],
  ['queued', { type: 'stock.reserved' }, 'stock_verified'],
  ['pending', { type: 'stock.short', via: 'call' }, 'rejected'],
  ['queued', { type: 'stock.short', via: 'call' }, 'refused'],
  ['queued', { type: 'stock.short', via: 'bus' }, 'rejected'],
  ['stock_verified', { type: 'stock.short', via: 'bus' }, 'refused'],
  ['pending', { type: 'stock.unknown' }, 'queued'],
  ['queued', { type: 'payment.captured' }, 'refused'],
  ['paid', { type: 'ticket.ready' }, 'ready'],
  ['ready', { type: 'ticket.cooking' }, 'refused'],
  ['paid', { type: 'cancel.asked', by: 'student' }, 'kitchen decides'],
  ['in_kitchen', { type: 'cancel.asked', by: 'student' }, 'refused'],
  ['rejected', { type: 'cancel.asked', by: 'student' }, 'refused'],
  ['cancelled', { type: 'cancel.asked', by: 'student' }, 'repeated'],
  ['in_kitchen', { type: 'ticket.refused' }, 'cancelled'],
  ['paid', { type: 'deadline.passed' }, 'refused'],
  ['cancelled', { type: 'payment.captured' }, 'refused'],
];

test.each(table)('%s <- %j: %s', (status, event, expected) => {
  const step = advance(status, event);
  expect(step.kind === 'moved' ? step.state.status : step.kind).toBe(expected);
});
