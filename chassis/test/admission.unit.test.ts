import type { Priority } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Admission, createAdmission } from '../src/admission.ts';

function enter(admission: Admission, priority: Priority): (() => void) | undefined {
  try {
    return admission.enter(priority);
  } catch (error) {
    expect(error).toMatchObject({ code: 'busy', retryAfterS: 1 });
    return undefined;
  }
}

test('whoever is refused, nobody of a lower priority would enter, and no ceiling is passed', () => {
  const anyStep = fc.oneof(
    fc.record({ enter: fc.constantFrom<Priority>('checkout', 'read', 'lab') }),
    fc.record({ leave: fc.nat() }),
    fc.record({ delayMs: fc.oneof(fc.nat(100), fc.nat(2_000)) }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(anyStep, { maxLength: 150, size: 'max' }),
      (inFlightMax, steps) => {
        let delayMs = 0;
        const admission = createAdmission({ inFlightMax, delayMs: () => delayMs });
        const inside: (() => void)[] = [];
        for (const step of steps) {
          if ('delayMs' in step) delayMs = step.delayMs;
          else if ('leave' in step) inside.splice(step.leave % (inside.length || 1), 1)[0]?.();
          else {
            const release = enter(admission, step.enter);
            if (release) inside.push(release);
            else expectNobodyBelow(admission, step.enter);
          }
          expect(admission.inFlight()).toBe(inside.length);
          expect(inside.length).toBeLessThanOrEqual(inFlightMax);
        }
        for (const release of inside) release();
        expect(admission.inFlight()).toBe(0);
      },
    ),
  );
});

function expectNobodyBelow(admission: Admission, refused: Priority): void {
  const order: Priority[] = ['checkout', 'read', 'lab'];
  for (const lower of order.slice(order.indexOf(refused))) {
    expect(enter(admission, lower)).toBeUndefined();
  }
}

function fill(admission: Admission, priority: Priority): number {
  while (enter(admission, priority));
  return admission.inFlight();
}

test('the lab fills half, reads fill up to four fifths, the rest is for checkouts', () => {
  const admission = createAdmission({ inFlightMax: 100 });
  expect(fill(admission, 'lab')).toBe(50);
  expect(fill(admission, 'read')).toBe(80);
  expect(fill(admission, 'checkout')).toBe(100);
});

test('while the event loop is late less enters, but never less than a quarter', () => {
  const filled = (delayMs: number): number =>
    fill(createAdmission({ inFlightMax: 100, delayMs: () => delayMs }), 'checkout');
  expect([0, 100, 200, 100_000].map(filled)).toEqual([100, 100, 50, 25]);
});

test('an idle service takes any request, however small it is', () => {
  const admission = createAdmission({ inFlightMax: 1, delayMs: () => 100_000 });
  admission.enter('lab')();
  admission.enter('read');
  expect(enter(admission, 'checkout')).toBeUndefined();
});

test('leaving twice counts once', () => {
  const admission = createAdmission({ inFlightMax: 10 });
  const leave = admission.enter('read');
  admission.enter('read');
  leave();
  leave();
  expect(admission.inFlight()).toBe(1);
});

test('shares that would refuse checkouts before reads are refused', () => {
  const shares = { checkout: 0.5, read: 0.8, lab: 0.5 };
  expect(() => createAdmission({ inFlightMax: 10, shares })).toThrow('shares must fall');
});
