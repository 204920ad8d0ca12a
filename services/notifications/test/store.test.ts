import { openPostgres, type PostgresStore, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import { createPostgresStreamStore } from '../src/postgres-store.ts';
import { meaningOf } from '../src/steps.ts';
import { noLimit } from '../src/store.ts';
import { idOf, step, stockChanged } from './help.ts';
import { storeConformance } from './store-conformance.ts';

const openDatabase = (url: string): Promise<PostgresStore> =>
  openPostgres({
    url,
    name: 'notifications',
    env: realEnvironment,
    log: silentLog,
    migrations: new URL('../migrations/', import.meta.url),
  });

// One database for many short tests: making one takes longer than a test.
let shared: Promise<PostgresStore> | undefined;
storeConformance('the stream on Postgres', async () => {
  shared ??= freshDatabase('notifications').then(({ url }) => openDatabase(url));
  const database = await shared;
  await database.query({ name: 'test_empty', text: 'TRUNCATE events, menu_state, inbox' });
  await database.query({
    name: 'test_reset',
    text: `WITH head AS (UPDATE stream_head SET last_id = 0, forgotten_id = 0)
           UPDATE messages_out SET last_id = 0`,
  });
  return createPostgresStreamStore(database);
});

test('whoever reads while two processes write never sees an id before a smaller one', async () => {
  await using fresh = await freshDatabase('notifications_gap');
  await using one = await openDatabase(fresh.url);
  await using two = await openDatabase(fresh.url);
  const writers = [one, two].map(createPostgresStreamStore);
  let writing = true;
  const seen: number[] = [];
  const tail = async (): Promise<void> => {
    const store = createPostgresStreamStore(two);
    for (let last = false; !last; ) {
      last = !writing;
      for (const { id } of await store.read(seen.at(-1) ?? 0, noLimit, 1_000, {})) seen.push(id);
    }
  };
  const tailing = tail();
  await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      const store = writers[worker % 2];
      for (let round = 0; round < 30; round++) {
        const order = { orderId: idOf(`${worker} ${round}`), studentId: `student${worker}` };
        await store?.take(
          [
            meaningOf(step('paid', [order])),
            meaningOf(stockChanged(`item-${worker}`, round, round)),
            meaningOf(step('ready', [order])),
          ],
          1_000,
        );
        if (worker < 4) await store?.tellMenu(0);
      }
    }),
  );
  writing = false;
  await tailing;
  const rows = await createPostgresStreamStore(one).read(0, noLimit, 10_000, {});
  expect(seen).toEqual(rows.map(({ id }) => id));
  expect(rows.filter(({ kind }) => kind === 'order')).toHaveLength(8 * 30 * 2);
});
