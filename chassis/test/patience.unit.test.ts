import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Awaited, createPatience } from '../src/http/patience.ts';
import { fakeEnvironment } from './fake-environment.ts';

const durationMs = 100;

test('what does not end in its time is given up once, in time, and nothing else is', async () => {
  const anyStep = fc.oneof(
    fc.record({ passMs: fc.nat(150) }),
    fc.record({ end: fc.nat() }),
    fc.constant('begin' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      const env = fakeEnvironment();
      const patience = createPatience(env, durationMs);
      const running = new Set<Awaited>();
      const begin = (): void => {
        const awaited: Awaited = {
          startedMs: env.monotonicMs(),
          giveUp: () => {
            expect(running.delete(awaited), 'given up only while it runs').toBe(true);
            expect(env.monotonicMs() - awaited.startedMs).toBe(durationMs);
          },
        };
        running.add(awaited);
        patience.begin(awaited);
      };
      for (const step of steps) {
        if (step === 'begin') begin();
        else if ('passMs' in step) {
          await env.advance(step.passMs);
          for (const { startedMs } of running) {
            expect(env.monotonicMs() - startedMs).toBeLessThan(durationMs);
          }
        } else {
          const one = [...running][step.end % (running.size || 1)];
          if (!one) continue;
          running.delete(one);
          expect(patience.end(one)).toBe(true);
          expect(patience.end(one)).toBe(false);
        }
      }
      await env.advance(durationMs);
      expect(running.size).toBe(0);
      expect(env.timers(), 'nobody is waited for, so no timer runs').toBeLessThanOrEqual(1);
      await env.advance(durationMs);
      expect(env.timers()).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('after closing nobody is given up', async () => {
  const env = fakeEnvironment();
  const patience = createPatience(env, durationMs);
  patience.begin({ startedMs: env.monotonicMs(), giveUp: () => expect.unreachable() });
  patience.close();
  expect(env.timers()).toBe(0);
  await env.advance(1_000);
});
