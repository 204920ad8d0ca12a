import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline } from '../src/timeline.ts';

const anyMove = fc.record({ afterMs: fc.nat(5), by: fc.integer({ min: -9, max: 9 }) });

test('the lowest value between two instants is that of a look at all of them', () => {
  fc.assert(
    fc.property(
      fc.array(anyMove, { maxLength: 200 }),
      fc.nat(600),
      fc.nat(600),
      (moves, fromMs, lastsMs) => {
        const toMs = fromMs + lastsMs;
        const timeline = new Timeline(3);
        const seen: number[] = [];
        let value = 3;
        let sinceMs = Number.NEGATIVE_INFINITY;
        for (const { afterMs, by } of moves) {
          const atMs = Math.max(0, sinceMs) + afterMs;
          if (sinceMs <= toMs && atMs >= fromMs) seen.push(value);
          timeline.add(atMs, by);
          value += by;
          sinceMs = atMs;
        }
        if (sinceMs <= toMs) seen.push(value);
        expect(timeline.lowest(fromMs, toMs)).toBe(Math.min(...seen));
        expect(timeline.last).toBe(value);
      },
    ),
    { numRuns: 500 },
  );
});

test('a stamp that runs backwards counts as the one before it', () => {
  const timeline = new Timeline(5);
  timeline.add(100, -5);
  timeline.add(50, 5);
  expect(timeline.lowest(0, 99)).toBe(5);
  expect(timeline.lowest(100, 100)).toBe(0);
  expect(timeline.lowest(101, 200)).toBe(5);
});
