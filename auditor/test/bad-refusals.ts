import { type Case, entryOf, first, soup, spoilt } from './spoil.ts';

export const badRefusals: Record<string, Case> = {
  'a student is told sold out while there is enough': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: /sold out at .* wanted 6 of 9 soup/ },
    run: spoilt(
      ({ evidence: { stockMoves } }) => {
        for (const move of stockMoves) if (move.itemId === 'soup') Object.assign(move, { by: 9 });
      },
      (shop) => shop.place('ada', 'k1', soup(6)),
    ),
  },
  'a student is told sold out more than a second after it was so': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: /wanted 6 of 7 soup/ },
    run: spoilt(
      (run) => {
        const refusal = entryOf(run, 'fail');
        run.evidence.stockMoves.push({ atMs: refusal.t - 1_100, itemId: 'soup', by: 2 });
      },
      (shop) => shop.place('ada', 'k1', soup(6)),
    ),
  },
  'a queued order is rejected as sold out while there is enough': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: /order-1.*rejected as sold_out/ },
    run: spoilt(
      ({ evidence: { stockMoves } }) => {
        for (const move of stockMoves) Object.assign(move, { by: 9 });
      },
      (shop) => shop.place('ada', 'k1', soup(6), 'queued'),
    ),
  },
  'an order is rejected before its deadline': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: 'it waited 30000 of 60000 ms' },
    run: spoilt(
      ({ evidence: { orders } }) => {
        const { history } = first(orders);
        Object.assign(history.at(-1) ?? {}, { atMs: (history[0]?.atMs ?? 0) + 30_000 });
      },
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'late'),
    ),
  },
  'an order is rejected for want of money that was there': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: 'never had less than 700 of 500 cents' },
    run: spoilt(
      ({ evidence: { wallets } }) => Object.assign(first(wallets), { openingCents: 700 }),
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'no funds'),
    ),
  },
  'an order is declined, but not by the provider': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: 'the provider did not decline it' },
    run: spoilt(
      ({ evidence: { declines } }) => declines.pop(),
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'declined'),
    ),
  },
  'an order is cancelled, and not by a person': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: /cancelled at \d+, and nobody asked/ },
    run: spoilt(
      (run) => {
        run.history = run.history.filter((entry) => !('op' in entry) || entry.op !== 'cancel');
      },
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'cancelled'),
    ),
  },
  'an answer is not one of those that are promised': {
    ...{ breaks: 'I12', counts: 'unexpected', says: 'is answered 500 internal' },
    run: spoilt(
      (run) => Object.assign(entryOf(run, 'info'), { status: 500, code: 'internal' }),
      (shop) => shop.placeInVain('ada', 'k1', soup(1), undefined),
    ),
  },
  'a key is refused as used for something else, and was not': {
    ...{ breaks: 'I12', counts: 'refusedNeedlessly', says: 'was only used for this' },
    run: spoilt(
      (run) => Object.assign(entryOf(run, 'fail'), { code: 'key_reused' }),
      (shop) => shop.place('ada', 'k1', soup(6)),
    ),
  },
};
