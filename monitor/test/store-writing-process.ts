// Writes spans into the store of a folder until it is killed.

import { openStore, span, spanIdOf } from './store-under-test.ts';

process.once('disconnect', () => process.exit(0));
const store = await openStore(process.argv[2] ?? '');
for (let from = 1; ; from += 500) {
  store.intake.spans(Array.from({ length: 500 }, (_, k) => span({ spanId: spanIdOf(from + k) })));
  await store.flush();
  process.send?.(store.state().written.spans);
}
