import { type ErrorCode, errors, type OrderView, problem } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import {
  type Attempt,
  type AttemptStep,
  giveUpAfterMs,
  isIndefinite,
  retryWaitMs,
  runAttempt,
} from '../src/api/attempt.ts';
import { CallError, unreachable } from '../src/api/call-error.ts';

const attempt: Attempt = { key: 'key-1', lines: [{ itemId: 'lassi', quantity: 1 }] };
const order = { orderId: 'o1', pickupNumber: 7 } as OrderView;

function refused(code: ErrorCode, retryAfterS?: number): CallError {
  const document = problem(code);
  return new CallError('problem', document.detail, {
    status: document.status,
    problem: document,
    retryAfterS,
  });
}

/** Runs an attempt against given answers, in a world whose clock only sleep moves. */
async function run(answers: (CallError | OrderView)[]) {
  const steps: AttemptStep[] = [];
  const keys: string[] = [];
  const waits: number[] = [];
  let nowMs = 0;
  const world = {
    nowMs: () => nowMs,
    random: () => 0.5,
    sleep: async (ms: number) => {
      waits.push(ms);
      nowMs += ms;
    },
    send: async ({ key }: Attempt) => {
      keys.push(key);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
  };
  const end = await runAttempt(attempt, world, new AbortController().signal, (s) => steps.push(s));
  return { end, keys, waits, kinds: steps.map(({ kind }) => kind), nowMs };
}

test('the same key is sent until there is a definite answer', async () => {
  const { end, keys, kinds } = await run([
    unreachable(),
    refused('busy', 2),
    refused('in_progress', 1),
    refused('outcome_unknown', 1),
    order,
  ]);
  expect(end).toEqual({ kind: 'placed', order });
  expect(new Set(keys)).toEqual(new Set(['key-1']));
  expect(keys).toHaveLength(5);
  expect(kinds.filter((kind) => kind === 'waiting')).toHaveLength(4);
});

test('a refusal is definite: one try, and its sentence', async () => {
  const { end, keys } = await run([refused('sold_out')]);
  expect(end).toMatchObject({ kind: 'refused', why: expect.stringContaining('left') });
  expect(keys).toHaveLength(1);
});

test('the wait that the platform asks for is kept', async () => {
  const { waits } = await run([refused('busy', 4), order]);
  expect(waits[0]).toBeGreaterThanOrEqual(4_000);
});

test('without any answer the tries end, and leave the decision to the person', async () => {
  const { end, keys, nowMs } = await run([unreachable()]);
  expect(end.kind).toBe('given_up');
  expect(nowMs).toBeLessThanOrEqual(giveUpAfterMs);
  expect(keys.length).toBeGreaterThan(5);
  expect(keys.length).toBeLessThan(60);
});

test('stopping ends an attempt in the middle of a wait', async () => {
  const stop = new AbortController();
  const world = {
    nowMs: () => 0,
    random: () => 0,
    send: () => Promise.reject(unreachable()),
    sleep: () => {
      stop.abort();
      return Promise.reject(stop.signal.reason);
    },
  };
  await expect(runAttempt(attempt, world, stop.signal, () => undefined)).rejects.toThrow();
});

test('exactly what the error table calls retryable, and every 5xx, is indefinite', () => {
  for (const code of Object.keys(errors) as ErrorCode[]) {
    const expected = errors[code].retry || errors[code].http >= 500;
    expect([code, isIndefinite(refused(code))]).toEqual([code, expected]);
  }
});

test('the back-off grows, keeps some chance, and has a ceiling', () => {
  const waits = [1, 2, 3, 10].map((tries) => retryWaitMs(tries, unreachable(), 1));
  expect(waits).toEqual([400, 800, 1_600, 8_000]);
  expect(retryWaitMs(3, unreachable(), 0)).toBe(800);
});
