import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDeadlineMs } from '../src/http/deadline.ts';

test('what one hop hands on, the next one takes', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), (leftMs) => {
      expect(parseDeadlineMs(String(leftMs))).toBe(leftMs);
    }),
  );
});

test('what is no deadline counts as none', () => {
  const wrong = ['', '-1', '1.5', '1e3', ' 5', 'Infinity', '9999999999', ['5', '6'], undefined];
  for (const header of wrong) expect(parseDeadlineMs(header)).toBeUndefined();
});
