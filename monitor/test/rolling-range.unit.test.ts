import { describe, expect, test } from 'vitest';
import { RollingRange } from '../src/api/rolling-range.ts';
import type { Range, Series } from '../src/model.ts';

const stepMs = 60_000;
const steps = (fromStep: number, toStep: number): Range => ({
  fromMs: fromStep * stepMs,
  toMs: toStep * stepMs,
});

/** A source whose only series is at each step its number, and which remembers what it was asked. */
function counting(label = 'a', factor = 1) {
  const asked: [number, number][] = [];
  const evaluate = async ({ fromMs, toMs }: Range): Promise<Series[]> => {
    asked.push([fromMs / stepMs, toMs / stepMs]);
    const atMs = Float64Array.from({ length: (toMs - fromMs) / stepMs + 1 }, (_, i) => {
      return fromMs + i * stepMs;
    });
    return [{ labels: { label }, atMs, values: atMs.map((at) => (at / stepMs) * factor) }];
  };
  return { asked, evaluate };
}

const valuesOf = async (rolling: RollingRange, range: Range, source = counting()) =>
  (await rolling.move(range, source.evaluate)).map(({ labels, values }) => [
    labels['label'],
    [...values],
  ]);

describe('a range that rolls on', () => {
  test('is evaluated once, in pieces, and then only where it is new', async () => {
    const rolling = new RollingRange(stepMs);
    const first = counting();
    await valuesOf(rolling, steps(100, 150), first);
    expect(first.asked).toEqual([
      [100, 129],
      [130, 150],
    ]);
    const later = counting();
    const [series] = await valuesOf(rolling, steps(102, 152), later);
    expect(later.asked).toEqual([[148, 152]]);
    expect(series).toEqual(['a', Array.from({ length: 51 }, (_, i) => 102 + i)]);
  });

  test('takes what came late for the last steps', async () => {
    const rolling = new RollingRange(stepMs);
    await valuesOf(rolling, steps(0, 4));
    expect(await valuesOf(rolling, steps(0, 4), counting('a', 10))).toEqual([
      ['a', [0, 1, 20, 30, 40]],
    ]);
  });

  test('keeps a series that ended until it has left the window', async () => {
    const rolling = new RollingRange(stepMs);
    await valuesOf(rolling, steps(0, 4));
    const nan = Number.NaN;
    expect(await valuesOf(rolling, steps(1, 5), counting('b'))).toEqual([
      ['a', [1, nan, nan, nan, nan]],
      ['b', [nan, 2, 3, 4, 5]],
    ]);
    expect(await valuesOf(rolling, steps(2, 6), counting('b'))).toEqual([['b', [2, 3, 4, 5, 6]]]);
  });

  test.each([
    ['a clock that was set back', steps(0, 4)],
    ['a window that begins after the end of the last one', steps(40, 44)],
  ])('is evaluated as a whole after %s', async (_, range) => {
    const rolling = new RollingRange(stepMs);
    await valuesOf(rolling, steps(10, 14));
    const source = counting();
    await valuesOf(rolling, range, source);
    expect(source.asked).toEqual([[range.fromMs / stepMs, range.toMs / stepMs]]);
  });

  test('stays as it was when the evaluation fails', async () => {
    const rolling = new RollingRange(stepMs);
    await valuesOf(rolling, steps(0, 4));
    await expect(
      rolling.move(steps(1, 5), () => Promise.reject(new Error('too much'))),
    ).rejects.toThrow('too much');
    expect(await valuesOf(rolling, steps(1, 5))).toEqual([['a', [1, 2, 3, 4, 5]]]);
  });
});
