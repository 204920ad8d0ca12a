import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check, invariants, type Verdict } from '../src/index.ts';
import { type Fate, type Run, Shop, type Way } from './shop-model.ts';
import { spoils } from './spoil-any.ts';

type Act =
  | { do: 'place'; student: number; key: number; soup: number; rice: number; way: Way; fate: Fate }
  | { do: 'place in vain'; student: number; status: 429 | 503 | undefined }
  | { do: 'settle' | 'read'; which: number }
  | { do: 'add'; quantity: number }
  | { do: 'read stock' }
  | { do: 'wait'; ms: number };

const small = fc.nat(3);
const fates: Fate[] = ['collected', 'paid', 'refused', 'cancelled', 'no funds', 'declined', 'late'];
const anyPlace = fc.record({
  do: fc.constant('place' as const),
  student: small,
  key: fc.nat(5),
  soup: small,
  rice: small,
  way: fc.constantFrom<Way>('at once', 'at once', 'queued', 'lost'),
  fate: fc.constantFrom<Fate>('collected', ...fates),
});
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: anyPlace, weight: 6 },
  fc.record({
    do: fc.constant('place in vain' as const),
    student: small,
    status: fc.constantFrom(429 as const, 503 as const, undefined),
  }),
  fc.record({ do: fc.constantFrom('settle' as const, 'read' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('add' as const), quantity: small }),
  fc.record({ do: fc.constant('read stock' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }),
);
const anyActs = fc.array(anyAct, { minLength: 1, maxLength: 40 });

function play(acts: readonly Act[]): Run {
  const shop = new Shop({ soup: 8, rice: 12 });
  const ids: string[] = [];
  const lines = new Map<string, { itemId: string; quantity: number }[]>();
  for (const [index, act] of acts.entries()) {
    switch (act.do) {
      case 'place': {
        const { student, key, soup, rice, way, fate } = act;
        const name = `${student} ${key}`;
        const wanted = [
          { itemId: 'soup', quantity: 1 + soup },
          ...(rice > 0 ? [{ itemId: 'rice', quantity: rice }] : []),
        ];
        // The same key stands for the same order.
        lines.set(name, lines.get(name) ?? wanted);
        const orderId = shop.place(`s${student}`, `k${key}`, lines.get(name) ?? [], way, fate);
        if (orderId !== undefined) ids.push(orderId);
        break;
      }
      case 'place in vain': {
        const vain = [{ itemId: 'soup', quantity: 1 }];
        shop.placeInVain(`s${act.student}`, `vain${index}`, vain, act.status);
        break;
      }
      case 'settle':
        shop.settle(act.which);
        break;
      case 'read': {
        const orderId = ids[act.which % Math.max(1, ids.length)];
        if (orderId !== undefined) shop.read(`reader${act.which % 2}`, orderId);
        break;
      }
      case 'add':
        shop.add('soup', act.quantity);
        break;
      case 'read stock':
        shop.readStock('s0');
        break;
      case 'wait':
        shop.nowMs += act.ms;
    }
  }
  return shop.close();
}

function judge({ history, evidence }: Run): Verdict {
  return check(history, evidence, { drained: true });
}

test('a shop in which nothing goes wrong passes, whatever is asked of it', () => {
  fc.assert(
    fc.property(anyActs, (acts) => {
      const run = play(acts);
      const { violations, notChecked, counts } = judge(run);
      expect(violations).toEqual([]);
      expect(notChecked).toEqual([]);
      const added = run.evidence.items.reduce((sum, { added: more }) => sum + more, 0);
      expect(counts.sold + counts.stockLeft).toBe(20 + added);
    }),
    { numRuns: 300 },
  );
});

test('half of a history is unknown, never wrong', () => {
  fc.assert(
    fc.property(anyActs, fc.nat(), (acts, seed) => {
      const run = play(acts);
      run.history = run.history.filter(
        ({ type }, index) =>
          type === 'invoke' || type === 'fail' || (index * 7919 + seed) % 2 === 0,
      );
      expect(judge(run).violations).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test.each(Object.entries(spoils))('any run is caught: %s', (_, { caughtBy, spoil }) => {
  let spoilt = 0;
  fc.assert(
    fc.property(anyActs, fc.nat(1_000), (acts, choice) => {
      const run = play(acts);
      if (!spoil(run, choice)) return;
      spoilt++;
      const { ok, violations } = judge(run);
      expect(violations.map(({ invariant }) => invariant)).toContain(caughtBy);
      expect(ok).toBe(false);
    }),
    { numRuns: 100 },
  );
  expect(spoilt).toBeGreaterThan(0);
});

test('there is a way to break every invariant in any run', () => {
  const broken = new Set(Object.values(spoils).map(({ caughtBy }) => caughtBy));
  expect([...broken].sort()).toEqual(Object.keys(invariants).sort());
});
