import { expect, test } from 'vitest';
import type { ApiParts } from '../src/api/parts.ts';
import { stateHandlers } from '../src/api/state.ts';
import type { StoreState } from '../src/store/face.ts';

const nothing = { spans: 0, logs: 0, samples: 0 };

async function healthWith(given: Partial<StoreState>) {
  const state: StoreState = {
    ...{ status: 'open', written: nothing, dropped: nothing, waiting: 0, waitingBytes: 0 },
    ...{ fileBytes: 0, series: 7, seriesRefused: 0, seriesRefusedOf: [] },
    ...given,
  };
  const parts = { store: { state: () => state }, targets: { list: () => [] }, otlpPort: 4318 };
  const { monitorHealth } = stateHandlers(parts as unknown as ApiParts);
  const { body } = (await monitorHealth({} as never, {} as never)) as { body: unknown };
  return body;
}

test('series that are refused are a problem as long as they are', async () => {
  expect(await healthWith({ seriesRefused: 3 })).toMatchObject({ status: 'up', problems: [] });
  const body = await healthWith({ seriesRefused: 3, seriesRefusedOf: ['bakery', ''] });
  expect(body).toMatchObject({
    status: 'degraded',
    problems: [expect.stringContaining('(of bakery, the rules)')],
  });
});
