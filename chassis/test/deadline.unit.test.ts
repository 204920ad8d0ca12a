import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadlineFrom, deadlineHeaderName, deadlineIn, parseDeadlineMs } from '../src/deadline.ts';
import { UnavailableError } from '../src/store/store.ts';
import { fakeEnvironment } from './fake-environment.ts';

test('what is left shrinks with time and stops at nothing', async () => {
  const env = fakeEnvironment();
  const deadline = deadlineIn(env, 100);
  await env.advance(40);
  expect([deadline.remainingMs(), deadline.isPast()]).toEqual([60, false]);
  await env.advance(60);
  expect([deadline.remainingMs(), deadline.isPast()]).toEqual([0, true]);
  await env.advance(60);
  expect(deadline.remainingMs()).toBe(0);
});

test('the signal aborts when the deadline passes, and not before', async () => {
  const env = fakeEnvironment();
  const { signal } = deadlineIn(env, 100);
  await env.advance(99);
  expect(signal.aborted).toBe(false);
  await env.advance(1);
  expect(signal.reason).toBeInstanceOf(UnavailableError);
});

test('a signal read after the deadline is aborted already', async () => {
  const env = fakeEnvironment();
  const deadline = deadlineIn(env, 0);
  expect(deadline.signal.aborted).toBe(true);
});

test('a deadline whose work is done leaves no timer', () => {
  const env = fakeEnvironment();
  {
    using deadline = deadlineIn(env, 100);
    expect(env.timers()).toBe(0);
    expect(deadline.signal.aborted).toBe(false);
    expect(env.timers()).toBe(1);
  }
  expect(env.timers()).toBe(0);
});

test('a step never gets more time than the whole', async () => {
  const env = fakeEnvironment();
  const deadline = deadlineIn(env, 100);
  expect(deadline.within(30).remainingMs()).toBe(30);
  await env.advance(90);
  expect(deadline.within(30).remainingMs()).toBe(10);
});

test('what one hop hands on, the next one takes, without gaining time', () => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 20_000 }), (sentMs, durationMsMax) => {
      const env = fakeEnvironment();
      const headers = deadlineIn(env, sentMs).headers();
      const taken = deadlineFrom(env, headers[deadlineHeaderName], { durationMsMax });
      expect(taken.remainingMs()).toBe(Math.min(sentMs, durationMsMax));
    }),
  );
});

test('a time that no timer can count is refused', () => {
  for (const durationMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    expect(() => deadlineIn(fakeEnvironment(), durationMs)).toThrow('a deadline in');
  }
});

test('what is no deadline counts as none', () => {
  for (const header of ['', '-1', '1.5', '1e3', ' 5', 'Infinity', '9999999999', ['5', '6']]) {
    expect(parseDeadlineMs(header)).toBeUndefined();
  }
  const env = fakeEnvironment();
  expect(deadlineFrom(env, undefined, { durationMsMax: 250 }).remainingMs()).toBe(250);
  expect(deadlineFrom(env, 'soon', { durationMsMax: 250 }).remainingMs()).toBe(250);
});
