import { expect, test } from 'vitest';
import { check, type Verdict } from '../src/index.ts';
import { type Run, Shop } from './shop-model.ts';

const soup = (quantity: number) => [{ itemId: 'soup', quantity }];
const judge = ({ history, evidence }: Run, drained = true): Verdict =>
  check(history, evidence, { drained });

function expectClean(run: Run): Verdict {
  const verdict = judge(run);
  expect(verdict.violations).toEqual([]);
  expect(verdict.notChecked).toEqual([]);
  expect(verdict.ok).toBe(true);
  return verdict;
}

test('an order that is answered 201 and sold passes', () => {
  const shop = new Shop({ soup: 5 });
  shop.place('ada', 'k1', soup(2));
  const { counts } = expectClean(shop.close());
  expect(counts).toMatchObject({ sold: 2, stockLeft: 3, answers: { '201': 1 } });
});

test('an order that is answered 202 passes, sold or rejected', () => {
  const shop = new Shop({ soup: 5 });
  shop.place('ada', 'k1', soup(4), 'queued');
  shop.place('bob', 'k1', soup(2), 'queued');
  const { counts } = expectClean(shop.close());
  expect(counts).toMatchObject({ sold: 4, stockLeft: 1, answers: { '202': 2 } });
  expect(counts).toMatchObject({ queuedThenSold: 1, queuedThenRejected: 1 });
});

test('a refusal is right when there is too little, and the same key may try again', () => {
  const shop = new Shop({ soup: 2 });
  shop.place('ada', 'k1', soup(3));
  shop.add('soup', 5);
  shop.place('ada', 'k1', soup(3));
  const { counts } = expectClean(shop.close());
  expect(counts).toMatchObject({ sold: 3, stockLeft: 4, answers: { '422': 1, '201': 1 } });
});

test('one short line is reason enough to refuse all of them', () => {
  const shop = new Shop({ soup: 9, rice: 0 });
  shop.place('ada', 'k1', [...soup(1), { itemId: 'rice', quantity: 1 }]);
  expectClean(shop.close());
});

test('sold out may be told up to a second after it was so', () => {
  const shop = new Shop({ soup: 2 });
  const restockedMs = shop.nowMs;
  shop.place('ada', 'k1', soup(3));
  const run = shop.close();
  run.evidence.stockMoves.push({ atMs: restockedMs - 900, itemId: 'soup', by: 1 });
  run.evidence.items = [{ itemId: 'soup', initial: 3, added: 0, sold: 0, held: 0, left: 3 }];
  expectClean(run);
});

test('every end of an order passes', () => {
  const shop = new Shop({ soup: 20 });
  shop.place('ada', 'k1', soup(1), 'at once', 'cancelled');
  shop.place('ada', 'k2', soup(1), 'queued', 'refused');
  shop.place('bob', 'k1', soup(1), 'at once', 'no funds');
  shop.place('cem', 'k1', soup(1), 'at once', 'declined');
  shop.place('cem', 'k2', soup(1), 'lost', 'late');
  shop.place('cem', 'k3', soup(1), 'at once', 'paid');
  const { counts } = expectClean(shop.close());
  expect(counts).toMatchObject({ sold: 1, stockLeft: 19 });
});

test('an order of which the client knows nothing may exist, or not', () => {
  const shop = new Shop({ soup: 5 });
  shop.place('ada', 'k1', soup(2), 'lost');
  shop.placeInVain('ada', 'k2', soup(2), undefined);
  shop.placeInVain('bob', 'k1', soup(2), 503);
  shop.placeInVain('bob', 'k2', soup(2), 429);
  const { counts } = expectClean(shop.close());
  expect(counts.answers).toMatchObject({ unanswered: 2, '429': 1, '503': 1 });
});

test('a key that is asked again gets the same answer, after a lost one too', () => {
  const shop = new Shop({ soup: 2 });
  const orderId = shop.place('ada', 'k1', soup(2), 'lost') ?? '';
  shop.place('ada', 'k1', soup(2));
  shop.settle();
  shop.place('ada', 'k1', soup(2));
  shop.read('ada', orderId);
  shop.readStock('ada');
  expectClean(shop.close());
});

test('an invocation without an end is as good as unknown', () => {
  const shop = new Shop({ soup: 2 });
  shop.place('ada', 'k1', soup(2));
  const run = shop.close();
  run.history = run.history.filter(({ type }) => type !== 'ok');
  run.evidence.replays = [];
  expectClean(run);
});

test('evidence that is missing is not checked, and says so', () => {
  const shop = new Shop({ soup: 2 });
  shop.place('ada', 'k1', soup(2));
  const { history, evidence } = shop.close();
  const { items, orders } = evidence;
  const verdict = check(history, { items, orders }, { drained: true });
  expect(verdict.ok).toBe(true);
  const named = new Set(verdict.notChecked.map(({ invariant }) => invariant));
  expect([...named].sort()).toEqual(
    ['I10', 'I11', 'I12', 'I14', 'I15', 'I5', 'I6', 'I7', 'I8', 'I9'].sort(),
  );
  expect(verdict.notChecked).toContainEqual({ invariant: 'I7', why: 'no evidence of provider' });
});

test('before the drain, what is under way is no violation', () => {
  const shop = new Shop({ soup: 4 });
  shop.place('ada', 'k1', soup(2));
  const run = shop.close();
  const [order] = run.evidence.orders;
  if (order) Object.assign(order, { status: 'stock_verified', history: order.history.slice(0, 2) });
  run.evidence.items = [{ itemId: 'soup', initial: 4, added: 0, sold: 0, held: 2, left: 2 }];
  Object.assign(run.evidence, { provider: [], mirror: [], tickets: [], notices: [] });
  run.evidence.holds = [{ orderId: order?.orderId ?? '', status: 'held' }];
  run.history = run.history.filter(({ type }) => type !== 'heard');
  const verdict = judge(run, false);
  expect(verdict.violations).toEqual([]);
  expect(verdict.notChecked).toContainEqual({ invariant: 'I8', why: 'not drained' });
  expect(judge(run).counts.unsettled).toBeGreaterThan(0);
});

test('a history that cannot have been recorded so is not judged', () => {
  const { evidence } = new Shop({}).close();
  const end = { type: 'ok', op: 'cancel', call: 7, proc: 'ada', t: 1 } as const;
  expect(() => check([end], evidence, { drained: true })).toThrow(/call 7 of ada ends before/);
});
