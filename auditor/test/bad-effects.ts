import { type Case, entryOf, first, soup, spoilt } from './spoil.ts';

export const badEffects: Record<string, Case> = {
  'a read shows negative stock': {
    ...{ breaks: 'I5', counts: 'oversold', says: /soup.*is read as -1 by ada/ },
    run: spoilt(
      (run) => {
        const read = entryOf(run, 'ok');
        Object.assign(read, { items: [{ itemId: 'soup', available: -1 }] });
      },
      (shop) => shop.readStock('ada'),
    ),
  },
  'the ledger of stock passes through a negative number': {
    ...{ breaks: 'I5', counts: 'oversold', says: /falls to -2 at/ },
    run: spoilt(({ evidence: { stockMoves } }) => {
      stockMoves.push({ atMs: 2e9, itemId: 'soup', by: -5 }, { atMs: 2e9, itemId: 'soup', by: 5 });
    }),
  },
  'more is sold than there was': {
    ...{ breaks: 'I6', counts: 'oversold', says: 'sold 7 + left 0 + held 0 ≠ initial 5 + added 0' },
    run: spoilt(({ evidence: { items } }) => Object.assign(first(items), { sold: 7, left: 0 })),
  },
  'stock is still held after the drain': {
    ...{ breaks: 'I6', counts: 'unsettled', says: 'still holds 1 after the drain' },
    run: spoilt(({ evidence: { items } }) => Object.assign(first(items), { held: 1, left: 2 })),
  },
  'a sold order holds nothing': {
    ...{ breaks: 'I6', counts: 'oversold', says: 'is collected, and its stock is released' },
    run: spoilt(({ evidence: { holds } }) => Object.assign(first(holds), { status: 'released' })),
  },
  'stock that was added is gone': {
    ...{ breaks: 'I6', counts: 'lost', says: 'has 0 added, and 3 were acknowledged' },
    run: spoilt(
      ({ evidence: { items } }) => Object.assign(first(items), { added: 0, left: 5 }),
      (shop) => shop.add('soup', 3),
    ),
  },
  'a sold order is captured twice': {
    ...{ breaks: 'I7', counts: 'chargedTwice', says: 'is captured 2 times: 2000 of 1000 cents' },
    run: spoilt(({ evidence: { provider } }) => provider.push({ ...first(provider) })),
  },
  'a cancelled order is not refunded': {
    ...{ breaks: 'I7', counts: 'chargedUnsold', says: 'is cancelled and keeps 500 cents' },
    run: spoilt(
      ({ evidence: { provider } }) => provider.pop(),
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'refused'),
    ),
  },
  'a sold order is not paid': {
    ...{ breaks: 'I7', counts: 'unexpected', says: 'is collected and not paid: captured 0' },
    run: spoilt(({ evidence: { provider } }) => provider.pop()),
  },
  'another student is charged': {
    ...{ breaks: 'I7', counts: 'chargedUnsold', says: 'belongs to ada, and bob is charged' },
    run: spoilt(({ evidence: { provider } }) => Object.assign(first(provider), { student: 'bob' })),
  },
  'the mirror lacks a capture': {
    ...{ breaks: 'I8', counts: 'unexpected', says: 'at the provider alone: capture of 1000 cents' },
    run: spoilt(({ evidence: { mirror } }) => mirror.pop()),
  },
  'the mirror has a capture twice': {
    ...{ breaks: 'I8', counts: 'unexpected', says: 'in the mirror alone: capture of 1000 cents' },
    run: spoilt(({ evidence: { mirror } }) => mirror.push({ ...first(mirror) })),
  },
  'a sold order never reached the kitchen': {
    ...{ breaks: 'I9', counts: 'lost', says: 'is collected, and the kitchen has no ticket for it' },
    run: spoilt(({ evidence: { tickets } }) => tickets.pop()),
  },
  'a sold order has two tickets': {
    ...{ breaks: 'I9', counts: 'duplicated', says: 'has 2 tickets' },
    run: spoilt(({ evidence: { tickets } }) => tickets.push({ ...first(tickets) })),
  },
  'a dead order is cooked': {
    ...{ breaks: 'I9', counts: 'unexpected', says: 'is cancelled, and the kitchen has a ticket' },
    run: spoilt(
      ({ evidence: { tickets } }) => Object.assign(first(tickets), { status: 'cooking' }),
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'refused'),
    ),
  },
  'an end is missing in the stream': {
    ...{ breaks: 'I10', counts: 'unexpected', says: 'was paid, and the stream does not tell it' },
    run: spoilt((run) => {
      run.evidence.notices = run.evidence.notices.filter(({ status }) => status !== 'paid');
    }),
  },
  'a client hears a step twice': {
    ...{
      breaks: 'I10',
      counts: 'duplicated',
      says: 'is told to ada stream as stock_verified twice',
    },
    run: spoilt((run) => run.history.push({ ...entryOf(run, 'heard'), eventId: 99 })),
  },
  'a client hears events out of order': {
    ...{ breaks: 'I10', counts: 'duplicated', says: /ada stream.*hears event 0 after 5/ },
    run: spoilt((run) =>
      run.history.push({ ...entryOf(run, 'heard'), status: 'queued', eventId: 0 }),
    ),
  },
  'an order was never asked for': {
    ...{ breaks: 'I11', counts: 'unexpected', says: /order-9.*was never asked for by ada k9/ },
    run: spoilt(({ evidence: { orders } }) => {
      orders.push({ ...structuredClone(first(orders)), orderId: 'order-9', key: 'k9' });
    }),
  },
  'an order was never asked for, and its key is not told': {
    ...{ breaks: 'I11', counts: 'unexpected', says: 'is of 3 × soup, which ada did not ask for' },
    run: spoilt(({ evidence: { orders } }) => {
      const { key: _, ...order } = structuredClone(first(orders));
      orders.push({ ...order, orderId: 'order-9', lines: soup(3) });
    }),
  },
  'an order exists although its client was told that nothing happened': {
    ...{
      breaks: 'I11',
      counts: 'unexpected',
      says: 'is collected, and its client was told: rate_limited',
    },
    run: spoilt(
      ({ history }) => {
        const at = history.findIndex(({ type }) => type === 'info');
        const end = history[at];
        if (end?.type !== 'info') throw new Error('no end');
        const { call, proc, t } = end;
        const code = 'rate_limited';
        history[at] = { type: 'fail', op: 'place', status: 429, code, call, proc, t };
      },
      (shop) => shop.place('ada', 'k1', soup(2), 'lost'),
    ),
  },
  'an order is older than the wish for it': {
    ...{ breaks: 'I11', counts: 'unexpected', says: /first asked for at/ },
    run: spoilt((run) => Object.assign(entryOf(run, 'invoke'), { t: 1_020_000 })),
  },
  'money is taken for no order': {
    ...{ breaks: 'I11', counts: 'chargedUnsold', says: 'is no order, and has a capture of 1000' },
    run: spoilt(({ evidence: { provider } }) => {
      provider.push({ ...first(provider), orderId: 'order-9' });
    }),
  },
  'stock is held for no order': {
    ...{ breaks: 'I11', counts: 'unexpected', says: 'is no order, and its stock is held' },
    run: spoilt(({ evidence: { holds } }) => holds.push({ orderId: 'order-9', status: 'held' })),
  },
  'a step is told that was never taken': {
    ...{ breaks: 'I11', counts: 'unexpected', says: 'is told to be cancelled, which it never was' },
    run: spoilt(({ evidence }) =>
      evidence.notices.push({ orderId: 'order-1', status: 'cancelled' }),
    ),
  },
  'stock is added that nobody added': {
    ...{ breaks: 'I11', counts: 'unexpected', says: 'has 4 added, 0 were asked for' },
    run: spoilt(({ evidence: { items } }) => Object.assign(first(items), { added: 4 })),
  },
  'the double entries do not sum to 0': {
    ...{ breaks: 'I14', counts: 'unexpected', says: 'sum to 5 cents at look 3' },
    run: spoilt(({ evidence: { entrySums } }) => entrySums.push(5)),
  },
};
