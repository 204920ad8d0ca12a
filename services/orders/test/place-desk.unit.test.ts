import { realEnvironment } from '@rushlight/chassis';
import { type Answer, limits } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { createPlaceDesk } from '../src/place-desk.ts';
import type { Placement } from '../src/place-order.ts';
import { anyTrace, soup } from './help.ts';

const batchOf = (size: number, name: string): Placement[] =>
  Array.from({ length: size }, (_, n) => ({
    ...{ studentId: 'ada', key: `${name}-${n}`, fingerprint: '', lines: soup, traceId: anyTrace() },
  }));
const answersTo = (placements: readonly Placement[]): Answer[] =>
  placements.map(({ key }) => ({ status: 201, body: key }));

/** A desk whose placing goes on when the test lets it. */
function open() {
  const placed: { placements: readonly Placement[]; end: (how?: Error) => void }[] = [];
  const place = createPlaceDesk(
    (placements) =>
      new Promise<Answer[]>((resolve, reject) => {
        const end = (how?: Error) => (how ? reject(how) : resolve(answersTo(placements)));
        placed.push({ placements, end });
      }),
    { env: realEnvironment, metrics: { observe: () => {} } },
  );
  const waitFor = (count: number) => expect.poll(() => placed.length).toBe(count);
  return { place, placed, waitFor };
}

test('batches that come while others are placed are placed together, each with its answers', async () => {
  const { place, placed, waitFor } = open();
  const first = [place(batchOf(2, 'a')), place(batchOf(1, 'b'))];
  await waitFor(1);
  const second = place(batchOf(1, 'c'));
  await waitFor(2);
  const later = [place(batchOf(3, 'd')), place(batchOf(2, 'e'))];
  for (const { end } of placed) end();
  await waitFor(3);
  placed[2]?.end();
  const bodies = (await Promise.all([...first, second, ...later])).map((answers) =>
    answers.map(({ body }) => body),
  );
  expect(bodies).toEqual([
    ...[['a-0', 'a-1'], ['b-0'], ['c-0']],
    ...[
      ['d-0', 'd-1', 'd-2'],
      ['e-0', 'e-1'],
    ],
  ]);
  expect(placed.map(({ placements }) => placements.length)).toEqual([3, 1, 5]);
});

test('no more go together than one call to inventory takes; one failure is not the others', async () => {
  const { place, placed, waitFor } = open();
  const half = Math.floor(limits.orderBatchMax / 2);
  const sizes = [half, half, 1, limits.orderBatchMax];
  const asked = sizes.map((size, n) => place(batchOf(size, `${n}`)));
  const settled = Promise.allSettled(asked);
  await waitFor(3);
  expect(placed.map(({ placements }) => placements.length)).toEqual([
    ...[2 * half, 1, limits.orderBatchMax],
  ]);
  placed[0]?.end(new Error('unknown'));
  placed[1]?.end();
  placed[2]?.end();
  expect((await settled).map(({ status }) => status)).toEqual([
    ...['rejected', 'rejected', 'fulfilled', 'fulfilled'],
  ]);
});
