import { expect, test } from 'vitest';
import { lineFor, paintFor, table } from '../src/screen.ts';

const plain = paintFor(false, undefined);

test('colour needs a terminal and the absence of NO_COLOR', () => {
  expect(paintFor(true, undefined).good('up')).toBe('\u001b[32mup\u001b[0m');
  expect(paintFor(true, '').good('up')).toContain('\u001b');
  expect(paintFor(true, '1').good('up')).toBe('up');
  expect(plain.good('up')).toBe('up');
});

test('the columns of the table stand under each other', () => {
  const rows = [
    { part: 'gateway', url: 'http://127.0.0.1:3000', state: 'up' },
    { part: 'postgres', url: 'postgres://127.0.0.1:20266', state: 'down' },
  ];
  const text = table(rows, plain).split('\n');
  expect(text).toHaveLength(3);
  expect(new Set(text.map((line) => line.search(/up$|down$|state$/))).size).toBe(1);
});

test('a death, a return and a late start are one line each', () => {
  const say = (event: Parameters<typeof lineFor>[1]) => lineFor('orders', event, plain);
  expect(say({ type: 'died', how: 'SIGKILL', wasReady: true })).toBe(
    'orders died (SIGKILL), starting again',
  );
  expect(say({ type: 'ready', first: false, downMs: 712 })).toBe('orders is back after 0.7 s');
  expect(say({ type: 'ready', first: true, downMs: 712 })).toBe('orders is up');
  expect(say({ type: 'started', pid: 7 })).toBeUndefined();
});
