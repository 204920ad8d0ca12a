import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { Part, type PartEvent, type PartSpec } from '../src/part.ts';
import { until } from './support.ts';

const policy = {
  delayMsMin: 20,
  delayMsMax: 160,
  delayMsMaxOnceReady: 40,
  healthyMs: 60_000,
  deathsMax: 4,
  readyMsMax: 10_000,
};
const stopSteps = [
  { signal: 'SIGTERM', waitMs: 200 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;

/** A part that runs a shell command, ready at once unless told otherwise. */
function partOf(command: string, changes: Partial<PartSpec> = {}) {
  const seen: { event: PartEvent; atMs: number }[] = [];
  const part = new Part({
    name: 'part',
    policy,
    stopSteps,
    spawn: () => spawn('/bin/sh', ['-c', command], { stdio: 'ignore', detached: true }),
    ready: () => Promise.resolve(),
    onEvent: (event) => void seen.push({ event, atMs: performance.now() }),
    ...changes,
  });
  onTestFinished(() => part.stop());
  const count = (type: PartEvent['type']) => seen.filter(({ event }) => event.type === type).length;
  return { part, seen, count };
}

const neverReady = { ready: () => new Promise<void>(() => undefined) };

test('who dies before it is ready is started again ever later, and counts as failed', async () => {
  const { part, seen, count } = partOf('exit 3', neverReady);
  part.start();
  await expect(part.whenUp()).rejects.toThrow('part failed: exit code 3');
  await until('further tries', () => count('started') >= 7);
  const startsMs = seen.filter(({ event }) => event.type === 'started').map(({ atMs }) => atMs);
  const pausesMs = startsMs.slice(1).map((atMs, index) => atMs - (startsMs[index] ?? 0));
  for (const [index, leastMs] of [20, 40, 80, 160, 160, 160].entries()) {
    expect(pausesMs[index]).toBeGreaterThanOrEqual(leastMs - 2);
  }
  expect(count('failed')).toBe(1);
  expect(part.failure).toBe('exit code 3');
});

test('a wrong configuration is not tried five times', async () => {
  const { part, count } = partOf('exit 78', neverReady);
  part.start();
  await expect(part.whenUp()).rejects.toThrow('exit code 78');
  expect(count('started')).toBe(1);
});

test('who was ready and is killed is back soon, however often', async () => {
  // Doubled each time, the eighth delay would be 12.8 s.
  const delays = { delayMsMin: 100, delayMsMax: 60_000, delayMsMaxOnceReady: 100 };
  const { part, count } = partOf('exec sleep 60', { policy: { ...policy, ...delays } });
  part.start();
  for (let kills = 1; kills <= 8; kills += 1) {
    await part.whenUp();
    const { pid } = part;
    part.signal('SIGKILL');
    await until('the next one', () => part.up && part.pid !== pid, 5_000);
  }
  expect(count('failed')).toBe(0);
  expect(part.view()).toMatchObject({ running: true, restarts: 8 });
});

test('while it is held by anybody it stays down', async () => {
  const { part, count } = partOf('exec sleep 60');
  part.start();
  await part.whenUp();
  part.hold('a');
  part.hold('b');
  part.signal('SIGKILL');
  await until('death', () => count('died') === 1);
  part.release('a');
  part.hurry();
  expect(part.pid).toBeNull();
  part.release('b');
  await part.whenUp();
  expect(count('started')).toBe(2);
});

test('who does not heed the first signal gets the next one, also when it is stopped', async () => {
  for (const command of ['trap "" TERM; sleep 60 & wait; sleep 60', 'exec sleep 60']) {
    const { part, count } = partOf(command);
    part.start();
    await part.whenUp();
    part.signal('SIGSTOP');
    const { pid } = part;
    await part.stop();
    expect(() => process.kill(pid ?? 0, 0)).toThrow();
    expect(count('died')).toBe(0);
    expect(part.pid).toBeNull();
  }
});

test('who does not get ready in time is killed and tried again', async () => {
  const short = { ...policy, readyMsMax: 50 };
  const { part, seen, count } = partOf('exec sleep 60', { ...neverReady, policy: short });
  part.start();
  await until('two tries', () => count('died') >= 2);
  expect(seen.find(({ event }) => event.type === 'died')?.event).toMatchObject({ how: 'SIGKILL' });
});

test('a program that is not there, or cannot be started, is a death like any other', async () => {
  const missing = { ...neverReady, spawn: () => spawn('/no/such/program') };
  const { part } = partOf('', missing);
  part.start();
  await expect(part.whenUp()).rejects.toThrow(/ENOENT/);
  const throwing = {
    ...neverReady,
    spawn: () => {
      throw new Error('no space left on device');
    },
  };
  const other = partOf('', throwing).part;
  other.start();
  await expect(other.whenUp()).rejects.toThrow(/no space left/);
});

test('once it is stopped it is never started again', async () => {
  const { part, count } = partOf('exit 3', neverReady);
  part.start();
  await until('a death', () => count('died') >= 1);
  const waiting = part.whenUp();
  const stopped = part.stop();
  await expect(waiting).rejects.toThrow('part was stopped');
  await stopped;
  const starts = count('started');
  part.hurry();
  part.release('nobody');
  expect(count('started')).toBe(starts);
});
