import { ApiError } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  advanceBreaker,
  BreakerOpenError,
  type BreakerState,
  type BreakerStatus,
  breakerRules,
  closedBreaker,
  createBreaker,
} from '../src/breaker.ts';
import { UnavailableError } from '../src/store/store.ts';
import { type FakeEnvironment, fakeEnvironment } from './fake-environment.ts';

const silence = new UnavailableError('inventory', 'no answer');
const legal = ['closed>open', 'open>half-open', 'half-open>open', 'half-open>closed'];

type Ending = 'answer' | 'refusal' | 'silence' | 'given up';
type Pending = { isProbe: boolean; end: (how: Ending) => void };

class GivenUp extends UnavailableError {}

const errorOf: Record<Exclude<Ending, 'answer'>, Error> = {
  refusal: new ApiError('taken', { id: 'a' }),
  silence,
  'given up': new GivenUp('inventory', 'the caller went away'),
};

function rig(env: FakeEnvironment) {
  const heard: { status: BreakerStatus; atMs: number }[] = [];
  const breaker = createBreaker({
    target: 'inventory',
    env,
    judge: (error) => {
      if (error instanceof GivenUp) return 'nothing';
      return error instanceof UnavailableError ? 'trouble' : 'works';
    },
    onState: (status) => heard.push({ status, atMs: env.monotonicMs() }),
  });
  const pending: Pending[] = [];
  const ask = async (): Promise<'sent' | 'not sent'> => {
    const statusBefore = breaker.status;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let sent = false;
    const asked = breaker.run(() => {
      sent = true;
      pending.push({
        isProbe: statusBefore !== 'closed',
        end: (how) => {
          if (how === 'answer') resolve();
          else reject(errorOf[how]);
        },
      });
      return promise;
    });
    asked.catch(() => undefined);
    if (!sent) await expect(asked).rejects.toBeInstanceOf(BreakerOpenError);
    return sent ? 'sent' : 'not sent';
  };
  return { breaker, heard, pending, ask };
}

const anyCommand = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ type: 'ask' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      which: fc.nat(),
      how: fc.constantFrom<Ending>('silence', 'silence', 'answer', 'refusal', 'given up'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(4_000) }) },
);

test('moves are legal, one probe runs at a time, and a healthy neighbour is found again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyCommand, { maxLength: 120, size: 'max' }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (commands, dice) => {
        const env = fakeEnvironment(() => dice);
        const { breaker, heard, pending, ask } = rig(env);
        const givenUpMs = new Set<number>();
        const probes = (): number => pending.filter(({ isProbe }) => isProbe).length;
        for (const command of commands) {
          if (command.type === 'wait') await env.advance(command.ms);
          else if (command.type === 'ask') await ask();
          else if (pending.length > 0) {
            const [ended] = pending.splice(command.which % pending.length, 1);
            if (ended?.isProbe && command.how === 'given up') givenUpMs.add(env.monotonicMs());
            ended?.end(command.how);
            await env.advance(0);
          }
          expect(probes()).toBe(breaker.status === 'half-open' ? 1 : 0);
        }
        for (const { end } of pending.splice(0)) end('answer');
        await env.advance(breakerRules.openMsMax);
        expect(await ask()).toBe('sent');
        for (const { end } of pending.splice(0)) end('answer');
        await env.advance(0);
        expect(breaker.status).toBe('closed');
        heard.slice(1).forEach(({ status, atMs }, index) => {
          const before = heard[index];
          expect(legal).toContain(`${before?.status}>${status}`);
          if (status !== 'half-open' || givenUpMs.has(before?.atMs ?? 0)) return;
          const openMs = atMs - (before?.atMs ?? 0);
          expect(openMs).toBeGreaterThanOrEqual(breakerRules.openMsMin / 2);
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('it opens exactly when half of 20 in the window, or 5 in a row, failed', () => {
  const anyCall = fc.record({ pauseMs: fc.oneof(fc.nat(50), fc.nat(3_000)), failed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 200, size: 'max' }), (calls) => {
      let state: BreakerState = closedBreaker;
      let nowMs = 5_000;
      const log: { second: number; failed: boolean }[] = [];
      for (const { pauseMs, failed } of calls) {
        nowMs += pauseMs;
        const second = Math.floor(nowMs / 1_000);
        log.push({ second, failed });
        const event = failed
          ? { type: 'failed' as const, nowMs, random: 0 }
          : { type: 'succeeded' as const, nowMs };
        state = advanceBreaker(state, event);
        const recent = log.filter((call) => call.second > second - 10);
        const failures = recent.filter((call) => call.failed).length;
        const isHalf = recent.length >= 20 && failures * 2 >= recent.length;
        const isRow = log.length >= 5 && log.slice(-5).every((call) => call.failed);
        expect(state.status).toBe(failed && (isHalf || isRow) ? 'open' : 'closed');
        if (state.status === 'open') return;
      }
    }),
  );
});

test('an unwelcome answer is an answer: the breaker stays closed', async () => {
  const env = fakeEnvironment();
  const { breaker, pending, ask } = rig(env);
  for (let n = 0; n < 50; n++) await ask();
  for (const { end } of pending.splice(0)) end('refusal');
  await env.advance(0);
  expect(breaker.status).toBe('closed');
});

test('without a judge, an UnavailableError is trouble and anything else is an answer', async () => {
  const breaker = createBreaker({ target: 'inventory', env: fakeEnvironment() });
  const fail = (error: Error) => breaker.run(() => Promise.reject(error)).catch(() => undefined);
  for (let n = 0; n < 30; n++) await fail(errorOf.refusal);
  expect(breaker.status).toBe('closed');
  for (let n = 0; n < 5; n++) await fail(silence);
  expect(breaker.status).toBe('open');
});

async function openWithFailures(rigged: ReturnType<typeof rig>, env: FakeEnvironment) {
  for (let n = 0; n < 5; n++) await rigged.ask();
  for (const { end } of rigged.pending.splice(0)) end('silence');
  await env.advance(0);
  expect(rigged.breaker.status).toBe('open');
}

test('while it is open nothing is sent, and the error is an UnavailableError with the wait', async () => {
  const env = fakeEnvironment(() => 0);
  const rigged = rig(env);
  await openWithFailures(rigged, env);
  await env.advance(100);
  const error = await rigged.breaker.run(async () => 'sent').catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ name: 'BreakerOpenError', part: 'inventory', waitMs: 25 });
});

test('each probe that fails doubles the wait, to a second at most', async () => {
  const env = fakeEnvironment(() => 0);
  const rigged = rig(env);
  await openWithFailures(rigged, env);
  for (const waitMs of [125, 250, 500, 500]) {
    await env.advance(waitMs - 1);
    expect(await rigged.ask()).toBe('not sent');
    await env.advance(1);
    expect(await rigged.ask()).toBe('sent');
    rigged.pending.splice(0)[0]?.end('silence');
    await env.advance(0);
  }
});

test('calls that our side gave up say nothing; after such a probe the next call probes', async () => {
  const env = fakeEnvironment(() => 0);
  const rigged = rig(env);
  for (let n = 0; n < 30; n++) await rigged.ask();
  for (const { end } of rigged.pending.splice(0)) end('given up');
  await env.advance(0);
  expect(rigged.breaker.status).toBe('closed');
  await openWithFailures(rigged, env);
  await env.advance(500);
  expect(await rigged.ask()).toBe('sent');
  rigged.pending.splice(0)[0]?.end('given up');
  await env.advance(0);
  expect(rigged.breaker.status).toBe('open');
  expect(await rigged.ask()).toBe('sent');
});

test('who looks at it while nobody calls sees that the next call would be let through', async () => {
  const env = fakeEnvironment(() => 0);
  const rigged = rig(env);
  await openWithFailures(rigged, env);
  expect(rigged.breaker.outlook).toBe('open');
  await env.advance(500);
  expect(rigged.breaker).toMatchObject({ status: 'open', outlook: 'half-open' });
});

test('a call that began before the trouble does not close the breaker', async () => {
  const env = fakeEnvironment(() => 0);
  const rigged = rig(env);
  await rigged.ask();
  const [old] = rigged.pending.splice(0);
  await openWithFailures(rigged, env);
  await env.advance(500);
  expect(await rigged.ask()).toBe('sent');
  old?.end('answer');
  await env.advance(0);
  expect(rigged.breaker.status).toBe('half-open');
});
