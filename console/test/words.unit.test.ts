import { expect, test } from 'vitest';
import { itemChanges, itemIdFrom } from '../src/domain/item-edit.ts';
import { money, parseMoney, signedMoney } from '../src/domain/money.ts';
import { columns, sums } from '../src/domain/throughput.ts';
import { countdown, span } from '../src/domain/time.ts';

test('money is shown and read without losing a cent', () => {
  for (const cents of [0, 5, 90, 100, 1250, 99_999_999]) {
    expect(parseMoney(money(cents).replaceAll(',', ''))).toBe(cents);
  }
  expect(signedMoney(1050)).toBe('+$10.50');
  expect(signedMoney(-1050)).toBe('−$10.50');
  expect(['12.5', '12,50', '$ 12'].map(parseMoney)).toEqual([1250, 1250, 1200]);
  expect(['', '-1', '1.234', 'NaN', '1e3'].map(parseMoney)).toEqual([null, null, null, null, null]);
});

test.each([
  [-5, '0 s'],
  [4_400, '4 s'],
  [180_000, '3 min'],
  [7_500_000, '2 h 5 min'],
  [260_000_000, '3 d'],
])('%i ms reads %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('a countdown ends in "any moment now"', () => {
  const to = new Date(60_000).toISOString();
  expect(countdown(to, 48_000)).toBe('in about 12 s');
  expect(countdown(to, 61_000)).toBe('any moment now');
});

const item = {
  itemId: 'lassi',
  name: 'Lassi',
  category: 'drinks',
  priceCents: 150,
  version: 7,
  available: 5,
  onHand: 6,
  reserved: 1,
};
const draft = { name: 'Lassi', price: '1.50', stockChange: 'keep', stock: '' } as const;

test('an edit sends only what differs, with the version that was read', () => {
  expect(itemChanges(item, draft)).toEqual({ kind: 'none' });
  expect(itemChanges(item, { ...draft, price: '1.60' })).toEqual({
    kind: 'changes',
    body: { version: 7, priceCents: 160 },
  });
  expect(itemChanges(item, { ...draft, stockChange: 'add', stock: '-3' })).toMatchObject({
    body: { addStock: -3 },
  });
  expect(itemChanges(item, { ...draft, stockChange: 'set', stock: '0' })).toMatchObject({
    body: { setStock: 0 },
  });
});

test('an edit that makes no sense says why, field by field', () => {
  const wrong = { name: ' ', price: 'much', stockChange: 'set', stock: '-1' } as const;
  const plan = itemChanges(item, wrong);
  expect(plan.kind === 'wrong' && Object.keys(plan.why)).toEqual(['name', 'price', 'stock']);
});

test('an id is made from a name', () => {
  expect(itemIdFrom('  Chicken Biryani! ')).toBe('chicken-biryani');
  expect(itemIdFrom('Crème brûlée')).toBe('creme-brulee');
  expect(itemIdFrom('!!!')).toBe('');
});

test('throughput fills the whole window; rare outcomes show only where they happened', () => {
  const at = (second: number) => new Date(second * 1_000).toISOString();
  const none = { accepted: 0, queued: 0, soldOut: 0, refused: 0, failed: 0 };
  const seconds = [
    { ...none, at: at(96), accepted: 3 },
    { ...none, at: at(98), accepted: 5, failed: 2 },
    { ...none, at: at(100), accepted: 1 },
    { ...none, at: at(101), accepted: 7 },
  ];
  const [xs, accepted, , , , failed] = columns({ windowS: 6, seconds }, 0);
  expect(xs).toEqual([95, 96, 97, 98, 99, 100]);
  expect(accepted).toEqual([0, 3, 0, 5, 0, 1]);
  expect(failed).toEqual([null, null, 0, 2, 0, null]);
  expect(sums({ windowS: 6, seconds })).toEqual({ ...none, accepted: 16, failed: 2 });
  expect(columns({ windowS: 2, seconds: [] }, 5_000)[0]).toEqual([3, 4]);
});
